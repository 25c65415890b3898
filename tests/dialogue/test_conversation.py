"""What of a conversation is thought back to."""

from voice_agent.dialogue.conversation import Conversation
from voice_agent.events import ReplyStatus, UserTurn


def test_the_oldest_turns_leave_several_at_a_time():
    """A model that keeps what it has read has to read anew when the beginning changes."""
    conversation = Conversation()
    beginnings = []
    for number in range(60):
        turn = conversation.add(f"item_{number}", UserTurn(str(number)))
        turn.heard, turn.heard_s, turn.status = "Oh.", 1.0, ReplyStatus.COMPLETED
        history = conversation.history(limit=10)
        assert len(history) <= 10
        assert len(history) >= min(number + 1, 8)
        assert history[-1].user == UserTurn(str(number))
        beginnings.append(history[0].user)
    assert len(set(beginnings)) == 26
