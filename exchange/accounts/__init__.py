"""Room 2, the account service: money, positions and margin; it knows nothing of books."""
