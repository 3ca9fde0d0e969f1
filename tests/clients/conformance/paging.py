"""Every list that has pages, by botocore's own paginators: page by page it is the whole
list, and a token that nobody gave is refused."""

from botocore.exceptions import ClientError

from .refusals import judge

# Lists that can't have a second page, and why.
ONE_PAGE = {
    ("apigatewayv2", "GetRouteResponses"): "a WebSocket API's route has one response, `$default`",
    ("iam", "ListInstanceProfilesForRole"): "the local cloud has no instance profiles",
}
# What a list is asked with, besides.
ABOUT = {
    ("apigatewayv2", "*"): lambda lives: {"ApiId": lives.gateway.api, "RouteId": lives.gateway.routes[0]},
    ("cloudwatch", "*"): lambda lives: lives.metrics.asked,
    ("iam", "*"): lambda lives: lives.roles.first,
    ("lambda", "*"): lambda lives: {"FunctionName": lives.functions.name},
    ("logs", "*"): lambda lives: lives.logs.first,
}
PAGE = 2


def paginated(client, operations):
    """The operations that botocore pages through, with how it does."""
    for operation in operations:
        method = next(name for name, called in client.meta.method_to_api_mapping.items() if called == operation)
        if client.can_paginate(method):
            yield operation, method, client.get_paginator(method)


def check(account, service, operations, lives):
    """Gives the lists that were paged through, and what is wrong with them."""
    client, checked, wrong = account.client(service), [], []
    about = ABOUT.get((service, "*"), lambda _: {})(lives)
    for operation, method, paginator in paginated(client, operations):
        configuration = paginator._pagination_cfg  # noqa: SLF001, how else is one to know
        shape = client.meta.service_model.operation_model(operation).input_shape
        parameters = {name: value for name, value in about.items() if name in shape.members}
        token, limit = configuration["input_token"], configuration["limit_key"]
        # API Gateway's limit is a text.
        size = str(PAGE) if shape.members[limit].type_name == "string" else PAGE
        result = configuration["result_key"]
        keys = result if isinstance(result, list) else [result]
        whole = getattr(client, method)(**parameters)
        pages = list(paginator.paginate(**parameters, **{limit: size}))
        checked.append(operation)
        for key in keys:
            if [item for page in pages for item in page.get(key, [])] != whole.get(key, []):
                wrong.append(f"{operation}: its pages aren't the whole list of {key}")
        if len(pages) < 2 and (service, operation) not in ONE_PAGE:
            wrong.append(f"{operation}: there is one page only of {len(whole[keys[0]])}")
        answer = account.send(service, operation, parameters | {token: "invented"})
        if not isinstance(answer, ClientError):
            wrong.append(f"{operation}: an invented token is taken")
        elif found := judge(service, client.meta.service_model.operation_model(operation), "token", answer):
            wrong.append(f"{operation}: an invented token: {found}")
    return checked, wrong
