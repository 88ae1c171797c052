"""What the norms of a store are measured in, and who made them."""

from __future__ import annotations

from duckdb import DuckDBPyConnection


def norm_units(con: DuckDBPyConnection) -> dict[str, str]:
    """Unit and source by norm; of files with different ones, all."""
    rows = con.execute(
        "SELECT norm, string_agg(DISTINCT unit, '; ' ORDER BY unit) FROM norms WHERE unit <> '' "
        "GROUP BY norm"
    ).fetchall()
    return {str(norm): str(unit) for norm, unit in rows}
