"""History on disk: rows in CSV, NDJSON or Parquet, resumed after any interruption without a missing or doubled row."""

from krakenasync.archive.download import Progress, Report, download
from krakenasync.archive.kinds import KINDS

__all__ = ["KINDS", "Progress", "Report", "download"]
