"""Settings and the one place that builds an exchange from them."""
