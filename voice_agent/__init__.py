"""An empathetic spoken dialogue agent."""
