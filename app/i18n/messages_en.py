"""English sentences of the HTTP floors. What goes wrong elsewhere says so by itself (`app.domain.errors`)."""

TEXTS = {
    "job.QUEUED": "Your request is in the queue",
    "job.PROCESSING": "Your request is being processed",
    "job.COMPLETED": "Your request is completed",
    "job.FAILED": "Your request has failed",
    "job.CANCELLED": "Your request was cancelled",
    "http.400": "The request cannot be read.",
    "http.404": "There is nothing at this address; see /docs.",
    "http.405": "This address does not take {method}; it takes {allowed}.",
    "http.413": "The request is larger than the {limit} bytes allowed here.",
    "http.415": "The body must be {expected}.",
    "http.416": "There is no such range in this recording.",
    "http.other": "The request cannot be served.",
    "http.500": "Something went wrong here; tell the operator the request id {request_id}.",
}
