"""The person's hand on what is remembered of them: to read it, to take it along, to erase it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from voice_agent.errors import UnknownMemory
from voice_agent.memories import Memories
from voice_agent.person import Person
from voice_agent.server.access import Refusal
from voice_agent.transports.realtime.guest import KEY_HEADER


def routes(memories: Memories) -> list[Route]:
    """The routes below ``/v1/memory``."""

    async def all_of_it(request: Request) -> Response:
        person = await _person(request, memories)
        if isinstance(person, Refusal):
            return person.response()
        if request.method == "DELETE":
            await memories.erase(person)
            return Response(status_code=204)
        return JSONResponse(await memories.export(person))

    async def one(request: Request) -> Response:
        person = await _person(request, memories)
        if isinstance(person, Refusal):
            return person.response()
        try:
            await memories.erase(person, request.path_params["ref"])
        except UnknownMemory as error:
            return Refusal(404, error.code, str(error)).response()
        return Response(status_code=204)

    return [
        Route("/v1/memory", all_of_it, methods=["GET", "DELETE"]),
        Route("/v1/memory/{ref}", one, methods=["DELETE"]),
    ]


async def _person(request: Request, memories: Memories) -> Person | Refusal:
    try:
        person = await memories.admit(
            request.query_params.get("user", ""), request.headers.get(KEY_HEADER)
        )
    except ValueError as error:
        return Refusal(400, "invalid_user", f"user: {error}")
    message = "show the user_key that voice_agent.session told, as X-Voice-Agent-User-Key"
    return person or Refusal(401, "invalid_user_key", message)
