"""The tables. Times are Unix microseconds, UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("user_id", String(256), primary_key=True),
    # Grows with every change of the user's events or profile.
    Column("version", BigInteger, nullable=False),
    # A serialised UserProfile; null for a user who has only events.
    Column("profile", LargeBinary),
)

# Whom users count among their friends.
friends = Table(
    "friends",
    metadata,
    Column("user_id", String(256), primary_key=True),
    Column("friend_id", String(256), primary_key=True),
    Column("weight", Float(53), nullable=False),
    Column("put_time_us", BigInteger, nullable=False),
    Index("friends_of_others", "friend_id"),
)

# Whose profile lets friends know what they use, apart so that a request need not read the profiles
# of all friends.
sharing = Table("sharing", metadata, Column("user_id", String(256), primary_key=True))

events = Table(
    "events",
    metadata,
    # The order of insertion, which decides between events of the same time. SQLite numbers the rows
    # of INTEGER keys only.
    Column(
        "sequence",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("user_id", String(256), nullable=False),
    Column("item_id", String(256), nullable=False),
    # The number of `SeenItems`, as a signed integer.
    Column("item_hash", BigInteger, nullable=False),
    Column("action", SmallInteger, nullable=False),
    # Impressions are not history. A column of its own makes one index serve the history.
    Column("is_impression", Boolean, nullable=False),
    Column("event_time_us", BigInteger, nullable=False),
    Column("received_time_us", BigInteger, nullable=False),
    Column("dwell_us", BigInteger),
    Column("rating", Float(53)),
    Column("latitude", Float(53)),
    Column("longitude", Float(53)),
    Column("utc_offset_minutes", SmallInteger),
    Column("text", Text),
    # What a valid attribution token said: the answer, the item's place in it from 1, and with what
    # probability it stood there at all.
    Column("impression_id", LargeBinary(16)),
    Column("position", Integer),
    Column("propensity", Float(53)),
    Index("events_history", "user_id", "is_impression", "event_time_us", "sequence"),
    Index("events_seen", "user_id", "item_hash"),
)

impressions = Table(
    "impressions",
    metadata,
    Column("impression_id", LargeBinary(16), primary_key=True),
    Column("user_id", String(256), nullable=False, index=True),
    Column("request_id", String(128), nullable=False),
    Column("release_id", String(256), nullable=False),
    Column("logged_time_us", BigInteger, nullable=False, index=True),
    # A serialised Impression.
    Column("content", LargeBinary, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("item_id", String(256), primary_key=True),
    # How often the item stood in a list for exploration, and was taken then.
    Column("shown_count", Integer, nullable=False),
    Column("taken_count", Integer, nullable=False),
)

token_keys = Table(
    "token_keys",
    metadata,
    # The greatest number signs; all are read.
    Column("key_number", SmallInteger, primary_key=True),
    Column("token_key", LargeBinary(32), nullable=False),
)

# Users who were erased: what training data and restored backups are filtered by.
erasures = Table(
    "erasures",
    metadata,
    # See `gateway_service.store.erasures.user_hash`.
    Column("user_hash", String(32), primary_key=True),
    # Of the newest erasure.
    Column("erase_time_us", BigInteger, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("release_id", String(256), primary_key=True),
    Column("release_uri", Text, nullable=False),
    # {version by model}
    Column("model_versions", JSON, nullable=False),
    # When it was last activated.
    Column("activated_time_us", BigInteger, nullable=False),
)

# One row, or none before the first activation.
release_pointer = Table(
    "release_pointer",
    metadata,
    Column("pointer_id", SmallInteger, primary_key=True),
    Column("current_release_id", String(256), nullable=False),
    # Empty: there is none.
    Column("previous_release_id", String(256), nullable=False),
)
