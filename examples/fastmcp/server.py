"""A FastMCP server as its documentation makes one: it knows nothing of Kubernetes or of releases."""

from fastmcp import FastMCP

mcp = FastMCP("lengths")


@mcp.tool
def to_feet(meters: float) -> dict[str, float]:
    """Converts a length in meters to feet."""
    return {"feet": round(meters / 0.3048, 3)}


if __name__ == "__main__":
    mcp.run(transport="http")
