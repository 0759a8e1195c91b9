"""History on disk: rows in CSV, NDJSON or Parquet, resumed after interruptions without missing or duplicate rows."""

from krakenasync.archive.download import Progress, Report, download
from krakenasync.archive.kinds import KINDS

__all__ = ["KINDS", "Progress", "Report", "download"]
