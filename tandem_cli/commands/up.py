"""`tandem up`: start the whole stack on this machine."""

import asyncio
import sys
from pathlib import Path

import typer

from features.release import Release, open_release
from serving.errors import ReleaseUnusable
from tandem_cli.commands.encoder import Encoders
from tandem_cli.dataset_spec import Clean, cleaning_of, need_dataset
from tandem_cli.encoders import encoder_of, prepare_image_tower
from tandem_cli.failure import CommandFailed
from tandem_cli.policy import need_policy
from tandem_cli.stack.detached import start_detached
from tandem_cli.stack.record import read_record
from tandem_cli.stack.serving_release import serving_release

State = typer.Option(Path("var/state"), "--state", help="Directory of databases and index.")


def up(
    release: Path | None = typer.Option(
        None, "--release", "-r", help="Release directory. Default: the one that served last."
    ),
    state: Path = State,
    detach: bool = typer.Option(False, "--detach", help="Return once it serves."),
    ingest: str = typer.Option(
        "auto",
        help="Data set to ingest (DIR, movielens:DIR or recbole:DIR), `never`, or `auto`: "
        "the release's, cleaned as for training, if the state is new.",
    ),
    clean: list[str] = Clean,
    policy: Path | None = typer.Option(
        None, "--policy", help="Safety policy for gateway and retrieval, see docs/safety.md."
    ),
    image_tower: Path | None = typer.Option(
        None, help="Hugging Face directory of an image tower, for images of items."
    ),
    milvus: str = typer.Option("", help="URI of a Milvus. Default: Milvus Lite is started."),
    gateway_port: int = typer.Option(50051, help="Port of the gateway."),
    retrieval_port: int = typer.Option(50052, help="Port of the retrieval service."),
    ranking_port: int = typer.Option(50053, help="Port of the ranking service."),
    triton_http_port: int = typer.Option(8000, help="Triton's port for HTTP."),
    triton_grpc_port: int = typer.Option(8001, help="Triton's port for gRPC."),
    triton_metrics_port: int = typer.Option(8002, help="Triton's port for metrics."),
    milvus_port: int = typer.Option(19530, help="Port of Milvus Lite."),
    encoders: Path = Encoders,
) -> None:
    """Start Triton, Milvus and the three services, and serve a release."""
    # The clients of Milvus and Triton are slow to import, which other commands need not wait for.
    from tandem_cli.stack.ports import Ports
    from tandem_cli.stack.serve import serve_until_told
    from tandem_cli.stack.stack import Stack, StackSettings

    refuse_second_stack(state)
    if ingest not in ("auto", "never"):
        need_dataset(ingest)
    elif clean:
        raise CommandFailed(f"--clean goes with a data set, which --ingest {ingest} does not name")
    cleaning_of(clean)
    if policy is not None:
        need_policy(policy)
    opened = release_to_serve(release, state)
    settings = StackSettings(
        state=state,
        encoder_dir=encoder_of(opened, encoders),
        milvus_uri=milvus,
        policy=policy,
        image_encoder_dir=None
        if image_tower is None
        else prepare_image_tower(image_tower, encoders),
        ports=Ports(
            gateway=gateway_port,
            retrieval=retrieval_port,
            ranking=ranking_port,
            triton_http=triton_http_port,
            triton_grpc=triton_grpc_port,
            triton_metrics=triton_metrics_port,
            milvus=milvus_port,
        ),
    )
    if detach:
        arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
        start_detached(arguments, state, settings.log_dir / "up.log")
    else:
        asyncio.run(serve_until_told(Stack(settings), opened, ingest, clean))


def refuse_second_stack(state: Path) -> None:
    """Raise CommandFailed if a stack runs on a state directory already."""
    record = read_record(state)
    alive = record.alive() if record is not None else []
    if alive:
        names = ", ".join(f"{part.name} ({part.pid})" for part in alive)
        raise CommandFailed(f"a stack runs on {state} already: {names}; stop it with `tandem down`")


def release_to_serve(given: Path | None, state: Path) -> Release:
    """Open the release that is given or, if none is, the one that served last."""
    uri = given or serving_release(state / "gateway" / "users.db")
    if uri is None:
        raise CommandFailed("no release: name one with --release; `tandem train` makes them")
    try:
        return open_release(uri)
    except ReleaseUnusable as error:
        raise CommandFailed(str(error)) from error
