"""Independent clients of the native protocol: async client, local mirrors, bots."""
