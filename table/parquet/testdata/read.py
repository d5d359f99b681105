"""Reads a Parquet file of parquet_test.go with pyarrow, pandas or DuckDB, and compares it with what was written."""
import sys

reader, path = sys.argv[1:]
NAMES = ["subject", "mean_t2_ms", "voxels", "few"]
ROWS = [("S01", 38.13, 250, None), ("=1+1", None, None, "yes"), (None, -0.5, 0, "yes"),
        ("Müller 膝", 1e9, 2**63 - 1, None)]


def same(what, got, want):
    assert got == want, f"{what}: {got!r}, want {want!r}"


if reader == "pyarrow":
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    same("columns", table.column_names, NAMES)
    same("types", [str(t) for t in table.schema.types], ["string", "double", "int64", "string"])
    same("rows", [tuple(r.values()) for r in table.to_pylist()], ROWS)
    same("unit", table.schema.metadata[b"column.mean_t2_ms.unit"], b"ms")
    same("label", table.schema.metadata[b"column.mean_t2_ms.label"], b"Mean T2")
elif reader == "pandas":
    import pandas

    frame = pandas.read_parquet(path, dtype_backend="numpy_nullable")
    same("columns", list(frame.columns), NAMES)
    same("types", [str(t) for t in frame.dtypes][1:3], ["Float64", "Int64"])
    rows = [tuple(None if pandas.isna(v) else v for v in r) for r in frame.itertuples(index=False)]
    same("rows", rows, ROWS)
else:
    import duckdb

    query = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    same("columns", query.columns, NAMES)
    same("types", [str(t) for t in query.types], ["VARCHAR", "DOUBLE", "BIGINT", "VARCHAR"])
    same("rows", query.fetchall(), ROWS)
    units = duckdb.sql(f"SELECT decode(value) FROM parquet_kv_metadata('{path}') "
                       "WHERE decode(key) = 'column.mean_t2_ms.unit'").fetchall()
    same("unit", units, [("ms",)])
