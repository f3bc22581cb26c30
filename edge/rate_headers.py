"""What is left of a limit, as draft-ietf-httpapi-ratelimit-headers-10 writes it."""

POLICY, LIMIT = "RateLimit-Policy", "RateLimit"


def rate_headers(name: str, limit: int, window_s: int, *, remaining: int, reset_s: int) -> dict[str, str]:
    """The two headers.

    Args:
        name: of the limit: the class of the request.
        limit: requests a window.
        window_s: length of the window, seconds.
        remaining: requests that are left.
        reset_s: until there is room again, or the window is over; seconds.
    """
    return {POLICY: f'"{name}";q={limit};w={window_s}', LIMIT: f'"{name}";r={remaining};t={reset_s}'}
