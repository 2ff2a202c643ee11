"""The real tritonserver, from its own runtime environment, serving the encoders."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from google.protobuf import json_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from tandem_cli.failure import CommandFailed
from tandem_cli.stack.ports import LOOPBACK, require_free
from tandem_cli.stack.process import ManagedProcess, ProcessFailed
from tandem_cli.stack.triton_models import (
    IMAGE_ENCODER,
    TEXT_ENCODER,
    USER_ENCODER,
    image_encoder_parameters,
    is_broken,
    repository_config,
    text_encoder_parameters,
    user_encoder_parameters,
)

ROOT = Path(__file__).resolve().parents[2]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # where Triton's Python backend puts its regions
START_TIMEOUT_S = 60.0
LOAD_TIMEOUT_S = 120.0
# Triton's own limit for requests in flight at SIGTERM, and ours for all of its exit.
EXIT_TIMEOUT_S = 5
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class TritonSettings:
    """Where Triton finds what, and where it listens (on the loopback interface alone)."""

    encoder_dir: Path | None
    """The encoder directory of text_encoder; None: texts are not encoded."""
    http_port: int
    grpc_port: int
    metrics_port: int
    log_file: Path
    runtime: Path = ROOT / ".venv-encoder"
    """What scripts/setup_encoder_runtime made."""
    model_repository: Path = ROOT / "encoder_model_repo"
    threads: int = 0
    """CPU threads of the text encoder's engine; 0 is one per core."""
    user_encoder: bool = True
    """Whether the user encoder is served, too."""
    image_encoder_dir: Path | None = None
    """The directory of an image tower that is served, too."""

    @property
    def target(self) -> str:
        """The gRPC address, `host:port`."""
        return f"{LOOPBACK}:{self.grpc_port}"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are served."""
        served = {
            TEXT_ENCODER: self.encoder_dir is not None,
            USER_ENCODER: self.user_encoder,
            IMAGE_ENCODER: self.image_encoder_dir is not None,
        }
        return tuple(model for model, wanted in served.items() if wanted)


class Triton:
    """A tritonserver with text_encoder loaded from one encoder directory, and user_encoder."""

    def __init__(self, settings: TritonSettings) -> None:
        self.settings = settings
        self._loads = 1
        # Ports are unique on a machine, so the names of the shared memory regions are too.
        self._region_prefix = f"tandem_triton_{settings.grpc_port}_"
        self.process = ManagedProcess(
            "tritonserver",
            _command(settings, self._region_prefix),
            log_file=settings.log_file,
            env=_environment(settings.runtime),
        )

    async def start(self) -> None:
        """Start the server, load the models and wait until they are ready.

        Raises CommandFailed (a port in use, no runtime, an unusable encoder); nothing is left then.
        """
        settings = self.settings
        if not (settings.runtime / "triton" / "tritonserver").exists():
            raise CommandFailed(
                f"{settings.runtime} holds no tritonserver; run scripts/setup_encoder_runtime"
            )
        require_free(settings.http_port, "Triton HTTP")
        require_free(settings.grpc_port, "Triton gRPC")
        require_free(settings.metrics_port, "Triton metrics")
        configs = {model: load_config(settings, model) for model in settings.models}
        self._remove_regions()
        self.process.start()
        try:
            async with self._stub() as stub:
                await self.process.wait_until_ready(lambda: _is_live(stub), START_TIMEOUT_S)
                await asyncio.gather(*(self._load(stub, *each) for each in configs.items()))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the server; it takes about 4 s. No process and no shared memory is left."""
        await self.process.stop(STOP_TIMEOUT_S)
        self._remove_regions()

    async def heal(self) -> list[str]:
        """Load models whose processes have died anew; return their names. Raises ProcessFailed.

        Triton itself would go on to call the model ready and fail every request.
        """
        async with self._stub() as stub:
            broken = [model for model in self.settings.models if await is_broken(stub, model)]
            for model in broken:
                self._loads += 1
                await self._load(stub, model, load_config(self.settings, model))
        return broken

    @asynccontextmanager
    async def _stub(self) -> AsyncIterator[service_pb2_grpc.GRPCInferenceServiceStub]:
        async with grpc.aio.insecure_channel(self.settings.target) as channel:
            yield service_pb2_grpc.GRPCInferenceServiceStub(channel)

    async def _load(
        self,
        stub: service_pb2_grpc.GRPCInferenceServiceStub,
        model: str,
        config: model_config_pb2.ModelConfig,
    ) -> None:
        # Triton does nothing where the configuration is the one that is loaded already.
        config.parameters["load"].string_value = str(self._loads)
        request = service_pb2.RepositoryModelLoadRequest(model_name=model)
        request.parameters["config"].string_param = json_format.MessageToJson(config)
        try:
            await stub.RepositoryModelLoad(request, timeout=LOAD_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise ProcessFailed(
                f"Triton could not load {model}: {_reason(error.details() or '')}"
                f" (its log is {self.settings.log_file})"
            ) from error

    def _remove_regions(self) -> None:
        # A stub that was killed leaves its regions behind.
        for region in SHARED_MEMORY.glob(f"{self._region_prefix}*"):
            region.unlink(missing_ok=True)


def load_config(settings: TritonSettings, model: str) -> model_config_pb2.ModelConfig:
    """Return the model repository's configuration with this machine's parameters in it."""
    config = repository_config(settings.model_repository, model)
    if model == TEXT_ENCODER and settings.encoder_dir is not None:
        parameters = text_encoder_parameters(settings.encoder_dir, settings.threads)
    elif model == IMAGE_ENCODER and settings.image_encoder_dir is not None:
        parameters = image_encoder_parameters(settings.image_encoder_dir, settings.threads)
    else:
        parameters = user_encoder_parameters()
    for key, value in parameters.items():
        config.parameters[key].string_value = value
    return config


def _command(settings: TritonSettings, region_prefix: str) -> list[str | Path]:
    triton = settings.runtime / "triton"
    return [
        triton / "tritonserver",
        f"--model-repository={settings.model_repository}",
        f"--backend-directory={triton / 'backends'}",
        f"--backend-config=python,shm-region-prefix-name={region_prefix}",
        "--model-control-mode=explicit",
        "--disable-auto-complete-config",
        f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
        f"--http-address={LOOPBACK}",
        f"--http-port={settings.http_port}",
        f"--grpc-address={LOOPBACK}",
        f"--grpc-port={settings.grpc_port}",
        f"--metrics-address={LOOPBACK}",
        f"--metrics-port={settings.metrics_port}",
    ]


def _environment(runtime: Path) -> Mapping[str, str]:
    lib = runtime / "triton" / "lib"
    packages = next((runtime / "lib").glob("python3.*/site-packages"), runtime)
    return {
        "LD_LIBRARY_PATH": f"{lib / 'server'}:{lib / 'python'}",
        # The stub embeds Python; by these it finds the runtime's packages and standard library.
        "PATH": f"{runtime / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(packages),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


async def _is_live(stub: service_pb2_grpc.GRPCInferenceServiceStub) -> bool:
    response = await stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=1.0)
    return bool(response.live)


def _reason(details: str) -> str:
    """Return what model.py said, else Triton's own first line."""
    line = details.strip().partition("\n")[0]
    return line.rpartition("TritonModelException: ")[2]
