"""The WebSocket server: connections, outboxes, dispatch."""
