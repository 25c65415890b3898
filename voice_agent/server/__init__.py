"""The server: page, websocket, health and metrics."""
