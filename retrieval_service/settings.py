"""Settings of the retrieval service, each from TANDEM_RETRIEVAL_<FIELD>."""

from dataclasses import dataclass
from typing import Annotated

from serving.settings import Between, read_settings

Seconds = Annotated[float, Between(0.01, 86_400)]


@dataclass(frozen=True)
class Settings:
    """See the fields."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Between(1, 65_535)] = 50052
    """Port to listen on."""

    database_url: str = "sqlite:///var/retrieval/catalogue.db"
    """SQLAlchemy URL of the catalogue: SQLite or PostgreSQL."""

    policy_file: str = ""
    """Safety policy; see docs/safety.md. Empty: none."""

    policy_interval_s: Seconds = 2.0
    """Seconds between looks at whether the policy file has changed."""

    audit_file: str = "var/retrieval/audit.jsonl"
    """Audit log of the policy, as JSON lines. Without a policy it is not written."""

    milvus_uri: str = "http://127.0.0.1:19530"
    """Milvus: Lite as a server of its own, standalone or cluster."""

    milvus_token: str = ""
    """`user:password` or API key of a Milvus that asks for one."""

    exact_items_max: Annotated[int, Between(0, 1_000_000)] = 0
    """Items up to which vectors are kept in memory, too, and searched there where a request has no
    filter. Above it, and with filters, Milvus is searched. 0: always Milvus. See decision 0014."""

    triton_target: str = "127.0.0.1:8001"
    """`host:port` of Triton's gRPC service."""

    encode_timeout_s: Seconds = 60.0
    """Seconds that encoding up to 32 texts of an upsert may take."""

    words_kept: Annotated[int, Between(0, 1_000_000)] = 4_096
    """Of how many words of requests the vectors are kept in memory, by a hash of the words, for
    five minutes after they were made."""

    follow_interval_s: Seconds = 0.5
    """Seconds between looks at what other copies of the service have written."""

    index_interval_s: Seconds = 1.0
    """Seconds between looks at whether the indexes are still there."""

    max_in_flight: Annotated[int, Between(1, 100_000)] = 256
    """Calls worked on at a time; more are refused with OVERLOADED."""

    reflection: bool = True
    """Whether clients may ask for the contracts by gRPC reflection."""

    log_level: str = "INFO"
    """Least level that is logged: DEBUG, INFO, WARNING or ERROR."""


def settings_from_environment() -> Settings:
    """Read the settings."""
    return read_settings(Settings, "retrieval")
