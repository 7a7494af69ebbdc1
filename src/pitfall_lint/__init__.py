"""pitfall-lint finds, and mends, the pitfalls of asyncio, sessions, proxies, threads and URL paths."""

__version__ = "0.1.0"
