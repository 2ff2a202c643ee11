"""The models of encoder_model_repo as this machine's Triton serves them."""

from collections.abc import Mapping
from pathlib import Path

import grpc
import grpc.aio
import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from tandem_cli.encoder_directory import read_about
from tandem_cli.images.directory import read_about_tower

TEXT_ENCODER = "text_encoder"
USER_ENCODER = "user_encoder"
IMAGE_ENCODER = "image_encoder"
PROBE_TIMEOUT_S = 2.0


def repository_config(repository: Path, model: str) -> model_config_pb2.ModelConfig:
    """Return a model's config.pbtxt."""
    text = (repository / model / "config.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def text_encoder_parameters(encoder_dir: Path, threads: int) -> Mapping[str, str]:
    """Return the parameters by which text_encoder loads an encoder directory."""
    return {
        "encoder_dir": str(encoder_dir.resolve()),
        "encoder_version": read_about(encoder_dir)["version"],
        "threads": str(threads),
    }


def image_encoder_parameters(directory: Path, threads: int) -> Mapping[str, str]:
    """Return the parameters by which image_encoder loads the directory of a tower."""
    return {
        "encoder_dir": str(directory.resolve()),
        "encoder_version": read_about_tower(directory)["version"],
        "threads": str(threads),
    }


def user_encoder_parameters() -> Mapping[str, str]:
    """Return the parameters of user_encoder: releases may lie anywhere on this machine."""
    return {"releases_root": "/"}


async def is_broken(stub: service_pb2_grpc.GRPCInferenceServiceStub, model: str) -> bool:
    """Tell whether Triton lives but an inference fails; one that is late proves nothing."""
    probe = _user_probe() if model == USER_ENCODER else _bytes_probe(model)
    try:
        await stub.ModelInfer(probe, timeout=PROBE_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        return bool(error.code() == grpc.StatusCode.INTERNAL)
    return False


def _bytes_probe(model: str) -> service_pb2.ModelInferRequest:
    """Return a request with one text, or one image that is none, of no bytes."""
    request = service_pb2.ModelInferRequest(model_name=model)
    name = "TEXT" if model == TEXT_ENCODER else "IMAGE"
    request.inputs.add(name=name, datatype="BYTES", shape=[1, 1])
    request.raw_input_contents.append(bytes(4))
    return request


def _user_probe() -> service_pb2.ModelInferRequest:
    """Return a request that names no release: what is well answers NOT_FOUND."""
    request = service_pb2.ModelInferRequest(model_name=USER_ENCODER)
    for name, datatype, shape in (
        ("ROWS", "INT64", [1, 1]),
        ("UNKNOWN_VECTORS", "FP32", [1, 1, 1]),
        ("ACTIONS", "INT64", [1, 1]),
        ("FEATURES", "FP32", [1, 1, 1]),
        ("TIMES_MS", "INT64", [1, 1]),
        ("NEXT_MS", "INT64", [1, 1]),
        ("CONTEXT", "FP32", [1, 1]),
        ("LENGTH", "INT64", [1, 1]),
    ):
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        dtype = np.int64 if datatype == "INT64" else np.float32
        request.raw_input_contents.append(np.zeros(shape, dtype).tobytes())
    return request
