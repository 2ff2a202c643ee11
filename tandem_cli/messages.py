"""Messages as JSON, with the names of the contract."""

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message


def as_json(message: Message) -> str:
    """Return a message as JSON; fields that are empty are there too."""
    text: str = MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        ensure_ascii=False,
    )
    return text
