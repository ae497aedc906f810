"""``large-messages/``: the whole of a message that is too large to show, as a file of its reader's."""

from __future__ import annotations

import os
from datetime import datetime, timezone

from . import private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client
    from .messages import Message


def keep_whole(client: Client, message: Message) -> str:
    """Reads the whole of ``message`` and writes it to a file of mode 0600; its path.

    The name of the file holds the id, so that two messages never share one. Raises `FileNotTrusted`
    when the directory cannot be trusted or the file not be written.
    """
    directory = os.path.join(client.places.root, "large-messages")
    private.ensure_directory(directory)
    sent = datetime.fromtimestamp(message.sent_ms / 1_000, timezone.utc)
    name = f"{sent:%Y%m%d-%H%M%S}_{message.sender_name}_{message.id}.md"
    path = os.path.join(directory, name)
    private.write_file(path, client.read(message.id).text.encode())
    return path
