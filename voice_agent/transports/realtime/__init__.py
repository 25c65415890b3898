"""The OpenAI Realtime protocol over websockets."""
