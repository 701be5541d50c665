"""The native WebSocket protocol without any I/O: messages, encodings, login, translation to and from the core."""
