"""Streams of the two usual APIs of language models, as they come, and programs that read them by the APIs' own clients."""

import json

TEXT = "Hello, wörld!"
PARTS = ("Hel", "lo, ", "wörld", "!")
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def _chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _event(name, **fields):
    return b"event: %s\ndata: %s\n\n" % (name.encode(), json.dumps({"type": name, **fields}).encode())


def chat_stream():
    """Of POST /v1/chat/completions."""
    return (_chunk({"role": "assistant", "content": ""}) + b"".join(_chunk({"content": part}) for part in PARTS)
            + _chunk({}, "stop") + b"data: [DONE]\n\n")


def message_stream():
    """Of POST /v1/messages: each event has a name."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None,
               "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    deltas = [_event("content_block_delta", index=0, delta={"type": "text_delta", "text": part}) for part in PARTS]
    return (_event("message_start", message=message)
            + _event("content_block_start", index=0, content_block={"type": "text", "text": ""}) + _event("ping")
            + b"".join(deltas) + _event("content_block_stop", index=0)
            + _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 4})
            + _event("message_stop"))


STREAMS = {CHAT: chat_stream(), MESSAGES: message_stream()}

# Programs for `node -e PROGRAM MILLISECONDS ORIGIN...`: they read from all origins at once and print a line of JSON, for each
# the text as far as it came and, where it is not whole, why. Where nothing comes for so long after an event they give up, as
# whoever waits for a completion does.
_WATCH = """
const [milliseconds, ...origins] = process.argv.slice(1);
const watch = async (origin, read) => {
  const patience = new AbortController();
  let timer, why, text = '';
  const heard = (part) => {
    text += part ?? '';
    clearTimeout(timer);
    timer = setTimeout(() => { why = 'nothing came'; patience.abort(); }, Number(milliseconds));
  };
  const error = await read(origin, patience.signal, heard).catch((error) => error);
  clearTimeout(timer);
  return {text, error: why ?? error?.message ?? null};
};
const readAll = (read) => Promise.all(origins.map((origin) => watch(origin, read))).then((all) => console.log(JSON.stringify(all)));
"""
OPENAI = _WATCH + """
const OpenAI = require('openai');
readAll(async (origin, signal, heard) => {
  const client = new OpenAI({baseURL: origin + '/v1', apiKey: 'x'});
  const stream = await client.chat.completions.create({model: 'm', messages: [], stream: true}, {signal});
  for await (const chunk of stream) heard(chunk.choices[0]?.delta?.content);
});
"""
ANTHROPIC = _WATCH + """
const Anthropic = require('@anthropic-ai/sdk');
readAll(async (origin, signal, heard) => {
  const client = new Anthropic({baseURL: origin, apiKey: 'x'});
  const messages = [{role: 'user', content: 'hello'}];
  const stream = await client.messages.create({model: 'm', max_tokens: 9, messages, stream: true}, {signal});
  for await (const event of stream) heard(event.type === 'content_block_delta' ? event.delta.text : '');
});
"""
