"""The doors: GraphQL over HTTP, websocket and event stream, and nothing about customers.

doors.py         what the rest of the product gives to this room: who is calling, the context, readiness
schema.py        the Strawberry schema that reads its documents through documents.py
documents.py     documents parsed, measured and validated once, then remembered
parsing.py       bytes and parameters -> Request
operations.py    Request -> Answer: a place, the caller, the document, the time limit
answers.py       results and errors -> what is sent
admission.py     the places for operations
metrics.py       what Prometheus is told, and exposition.py, in its words
http.py  events.py  sockets.py      the three ways in and out
requests.py  media.py  origins.py   headers, bodies, media types, pages of other sites
envelope.py      around everything: request ids, security headers, the last resort
connections.py   uvicorn's protocols with the limits that it lacks
"""
