"""The tracking API: an ASGI application of its own beside the web framework, for the calls of tracking clients."""
