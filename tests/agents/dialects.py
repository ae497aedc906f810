"""What the three agents say to a model, and what a model says back.

A dialect turns the body of a request into a `View`, the same for all three, and a turn of a script
into the bytes of an answer. Nothing here listens or remembers: see stub_model.py.
"""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """A turn: call the tool of this plain name. Arguments may be a function of the `View`."""

    tool: str
    arguments: Any = field(default_factory=dict)


@dataclass
class Say:
    """A turn: say this and end. The text may be a function of the `View`."""

    text: Any = "done"


@dataclass
class View:
    """What one request showed to the model, whatever its dialect."""

    tools: dict[str, tuple[str, str]]  # wire name -> (namespace or "", description)
    system: str
    prompts: list[str]  # texts in the user's place, in order
    calls: list[str]  # names of the tools that the model called so far
    results: list[str]  # texts of tool results, in order
    outside: str  # every string but results and the model's own words and calls

    def wire(self, plain: str) -> str | None:
        """The name under which this request offers a tool."""
        suffixes = (f"__{plain}", f"_ipc_{plain}")
        return next((name for name in self.tools if name == plain or name.endswith(suffixes)), None)


def strings(value: Any) -> list[str]:
    """Every string in a JSON value, keys aside."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return []


def event(kind: str, data: dict[str, Any]) -> str:
    """One server-sent event that repeats its kind in its data."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


class Anthropic:
    """`POST /v1/messages` (Claude Code)."""

    name = "anthropic"

    @staticmethod
    def view(body: dict[str, Any]) -> View:
        prompts, calls, results, outside = [], [], [], strings(body.get("tools"))
        system = "\n".join(strings(body.get("system")))
        outside.append(system)
        for message in body.get("messages", []):
            content = message["content"]
            if isinstance(content, str):
                content = [{"type": "text", "text": content}]
            for block in content:
                if block["type"] == "tool_result":
                    results.append("\n".join(strings(block.get("content"))))
                elif block["type"] == "tool_use":
                    calls.append(block["name"])
                elif message["role"] != "assistant":
                    prompts.append("\n".join(strings(block)))
        tools = {t["name"]: ("", t.get("description", "")) for t in body.get("tools") or []}
        return View(tools, system, prompts, calls, results, "\n".join(outside + prompts))

    @staticmethod
    def is_ours(body: dict[str, Any]) -> bool:
        """Whether this is the conversation, and not a title or a probe beside it."""
        return len(body.get("tools") or []) > 1

    @staticmethod
    def answer(body: dict[str, Any], number: int, name: str | None, value: Any, _: str) -> tuple[str, bytes]:
        if name is None:
            block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": value}
            whole, reason = {"type": "text", "text": value}, "end_turn"
        else:
            block = {"type": "tool_use", "id": f"toolu_{number:04}", "name": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(value)}
            whole, reason = {**block, "input": value}, "tool_use"
        message = {
            "id": f"msg_{number:04}", "type": "message", "role": "assistant",
            "model": body.get("model", "stub"), "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1},
        }
        if not body.get("stream"):
            message |= {"content": [whole], "stop_reason": reason}
            return "application/json", json.dumps(message).encode()
        ending = {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 10}}
        events = (
            event("message_start", {"message": message})
            + event("content_block_start", {"index": 0, "content_block": block})
            + event("content_block_delta", {"index": 0, "delta": delta})
            + event("content_block_stop", {"index": 0})
            + event("message_delta", ending)
            + event("message_stop", {})
        )
        return "text/event-stream", events.encode()


class Gemini:
    """`:generateContent` and `:streamGenerateContent` (Gemini CLI)."""

    name = "gemini"

    @staticmethod
    def view(body: dict[str, Any]) -> View:
        prompts, calls, results = [], [], []
        system = "\n".join(strings(body.get("systemInstruction")))
        for content in body.get("contents", []):
            for part in content.get("parts", []):
                if "functionResponse" in part:
                    results.append("\n".join(strings(part["functionResponse"].get("response"))))
                elif "functionCall" in part:
                    calls.append(part["functionCall"]["name"])
                elif content.get("role") != "model":
                    prompts.append("\n".join(strings(part)))
        tools = {
            declared["name"]: ("", declared.get("description", ""))
            for tool in body.get("tools") or []
            for declared in tool.get("functionDeclarations", [])
        }
        outside = strings(body.get("tools")) + [system] + prompts
        return View(tools, system, prompts, calls, results, "\n".join(outside))

    @staticmethod
    def is_ours(body: dict[str, Any]) -> bool:
        return bool(body.get("tools"))

    @staticmethod
    def answer(body: dict[str, Any], number: int, name: str | None, value: Any, path: str) -> tuple[str, bytes]:
        part = {"text": value} if name is None else {"functionCall": {"name": name, "args": value}}
        reply = {
            "candidates": [
                {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        }
        if ":stream" in path:
            return "text/event-stream", f"data: {json.dumps(reply)}\n\n".encode()
        return "application/json", json.dumps(reply).encode()


class Responses:
    """`POST /v1/responses` (Codex)."""

    name = "responses"

    @staticmethod
    def view(body: dict[str, Any]) -> View:
        prompts, calls, results = [], [], []
        for item in body.get("input", []):
            kind = item.get("type")
            if kind in ("function_call_output", "custom_tool_call_output"):
                results.append("\n".join(strings(item.get("output"))))
            elif kind in ("function_call", "custom_tool_call"):
                calls.append(item["name"])
            elif item.get("role") not in (None, "assistant"):
                prompts.append("\n".join(strings(item.get("content"))))
        tools = {}
        for tool in body.get("tools") or []:
            if tool.get("type") == "namespace":
                for inner in tool["tools"]:
                    tools[inner["name"]] = (tool["name"], inner.get("description", ""))
            else:
                tools[tool.get("name", tool["type"])] = ("", tool.get("description", ""))
        system = body.get("instructions", "")
        outside = strings(body.get("tools")) + [system] + prompts
        return View(tools, system, prompts, calls, results, "\n".join(outside))

    @staticmethod
    def is_ours(body: dict[str, Any]) -> bool:
        return bool(body.get("tools"))

    @staticmethod
    def answer(body: dict[str, Any], number: int, name: str | None, value: Any, _: str) -> tuple[str, bytes]:
        if name is None:
            content = [{"type": "output_text", "text": value, "annotations": []}]
            item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
        else:
            item = {
                "type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}",
                "name": name, "arguments": json.dumps(value),
            }
            namespace = Responses.view(body).tools.get(name, ("", ""))[0]
            if namespace:
                item["namespace"] = namespace
        usage = {
            "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        head = {"id": f"resp_{number}", "object": "response", "model": body.get("model")}
        events = (
            event("response.created", {"response": {**head, "status": "in_progress", "output": []}})
            + event("response.output_item.done", {"output_index": 0, "item": item})
            + event(
                "response.completed",
                {"response": {**head, "status": "completed", "output": [item], "usage": usage}},
            )
        )
        return "text/event-stream", events.encode()


def of(path: str) -> Any:
    """The dialect of a request's path, or nothing."""
    if path.endswith("/v1/messages"):
        return Anthropic
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return Gemini
    if path.endswith("/responses"):
        return Responses
    return None
