"""The addresses of the tracking API, with the names they have in the doors table."""

ROUTES: dict[str, str] = {
    f"/v1/{name}": f"tracking:{name}"
    for name in ("identify", "track", "page", "screen", "group", "alias", "batch", "import")
}
SNIPPET = "/v1/zhike.js"
ADDRESSES: dict[str, str] = {**ROUTES, SNIPPET: "tracking:snippet"}
