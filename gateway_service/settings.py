"""The gateway's settings, each from TANDEM_GATEWAY_<FIELD>."""

from dataclasses import dataclass
from typing import Annotated

from gateway_service.validation import ITEM_COUNT_MAX
from serving.settings import Between

Share = Annotated[float, Between(0.01, 1.0)]
Seconds = Annotated[float, Between(0.01, 86_400)]


@dataclass(frozen=True)
class Settings:
    """See the fields."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Between(0, 65_535)] = 50051
    """Port to listen on. 0: any free one, which the log names."""

    share_port: bool = False
    """Whether other copies of the gateway that share it may serve on the same port."""

    retrieval_target: str = "127.0.0.1:50052"
    """`host:port` of the retrieval service, which holds the catalogue too."""

    ranking_target: str = "127.0.0.1:50053"
    """`host:port` of the ranking service."""

    database_url: str = "sqlite:///var/gateway/users.db"
    """SQLAlchemy URL of the database of users: SQLite or PostgreSQL."""

    audit_file: str = "var/gateway/audit.jsonl"
    """Audit log, as JSON lines: policies, overrides that decided, erasures, exports. It must
    outlive the database and not be restored with it; see docs/privacy.md."""

    audit_key: str = ""
    """Key of the hashes of user ids in the audit log; it must not change."""

    policy_file: str = ""
    """Safety policy; see docs/safety.md. Empty: none."""

    policy_interval_s: Seconds = 2.0
    """Seconds between looks at whether the policy file has changed."""

    read_threads: Annotated[int, Between(1, 64)] = 4
    """Threads, and connections, that read the database."""

    write_queue: Annotated[int, Between(1, 100_000)] = 256
    """Writes that may wait for the database; more are refused with OVERLOADED."""

    default_deadline_s: Seconds = 2.0
    """Seconds for a Recommend whose caller sets no deadline."""

    hydrate_share: Share = 0.2
    """Part of the time left that reading the user's state may take."""

    retrieve_share: Share = 0.55
    """Part of the time then left that retrieval may take."""

    rank_share: Share = 0.75
    """Part of the time then left that ranking may take."""

    check_share: Share = 0.8
    """Part of the time then left that the last look at the catalogue may take."""

    default_item_count: Annotated[int, Between(1, ITEM_COUNT_MAX)] = 10
    """Items in a list whose caller names no count."""

    candidate_count: Annotated[int, Between(0, 2_000)] = 0
    """Candidates to retrieve, at least. 0: as many as the release's ranker was trained with."""

    backfill_count: Annotated[int, Between(0, 500)] = 20
    """Items to rank beyond those asked for, to take the place of those that the check drops."""

    exploration_share: Annotated[float, Between(0.0, 0.5)] = 0.05
    """Share of a list's places that new items get, of requests that set none."""

    impression_days: Annotated[int, Between(1, 36_500)] = 90
    """Days for which answers stay logged."""

    reason_count: Annotated[int, Between(0, ITEM_COUNT_MAX)] = 10
    """Items of a list, the first ones, of which it is computed what items of the history weigh."""

    feature_log_share: Annotated[float, Between(0.0, 1.0)] = 0.1
    """Share of the logged answers that are logged with what the ranker read of their items."""

    reconcile_interval_s: Seconds = 1.0
    """Seconds between looks at which releases the services hold and where the pointer is."""

    activation_timeout_s: Seconds = 3_600.0
    """Seconds that loading a release everywhere may take before its activation is given up."""

    max_in_flight: Annotated[int, Between(1, 100_000)] = 256
    """Calls worked on at a time; more are refused with OVERLOADED."""

    reflection: bool = True
    """Whether clients may ask for the contracts by gRPC reflection."""

    log_level: str = "INFO"
    """Least level that is logged: DEBUG, INFO, WARNING or ERROR."""
