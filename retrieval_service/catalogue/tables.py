"""The tables of the catalogue's database."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

# SQLite compares bytes already; PostgreSQL would order by the language of the machine.
_Id = String(256).with_variant(String(256, collation="C"), "postgresql")

# One row. Its lock is what lets one writer in at a time, so that revisions are committed in order.
state = Table(
    "catalogue_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

# A deleted item stays as a row with its own revision, so that followers learn of it.
# content: the serialised Item without its revision, empty once deleted.
items = Table(
    "items",
    metadata,
    Column("item_id", _Id, primary_key=True),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("deleted", Boolean, nullable=False),
    Column("text_hash", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Vectors of texts that the service had encoded; and those that items brought along, with "media:"
# and their space for a version, and their own hash. vector: float32, little-endian.
vectors = Table(
    "vectors",
    metadata,
    Column("encoder_version", String(256), primary_key=True),
    Column("text_hash", String(32), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("truncated", Boolean, nullable=False),
)

# How far each named upsert came.
upserts = Table(
    "upserts",
    metadata,
    Column("upsert_id", String(128), primary_key=True),
    Column("batch_number", BigInteger, nullable=False),
)

# The type of each attribute that an item ever had: "string", "int64", "double" or "bool".
attributes = Table(
    "attributes",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("type", String(16), nullable=False),
)

# The width of each embedding space whose vectors items brought along.
spaces = Table(
    "spaces",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("width", Integer, nullable=False),
)

# The Milvus collection of each release and embedding space, and how far it follows the catalogue.
# columns: names of the attributes it has columns for, joined by commas. unwanted: it is to be
# dropped. holder: the one process that may write to it until `held_until`, in Unix seconds.
indexes = Table(
    "indexes",
    metadata,
    Column("collection", String(255), primary_key=True),
    Column("release_id", String(256), nullable=False),
    Column("space", String(16), nullable=False),
    Column("columns", String, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("unwanted", Boolean, nullable=False),
    Column("holder", String(256), nullable=False),
    Column("held_until", Float, nullable=False),
)
