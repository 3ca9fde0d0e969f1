# An echo behind a WebSocket API, by Terraform's AWS provider: each resource that it has
# of what the local cloud serves.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" { type = string }
variable "region" { type = string }
variable "zip" { type = string }
variable "handler" { type = string }
variable "description" { type = string }

provider "aws" {
  region                      = var.region
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  endpoints {
    apigatewayv2 = var.endpoint
    iam          = var.endpoint
    lambda       = var.endpoint
    logs         = var.endpoint
    sts          = var.endpoint
  }
  default_tags {
    tags = { made = "by terraform" }
  }
}

locals {
  name = "by-terraform"
  uri  = "arn:aws:apigateway:${var.region}:lambda:path/2015-03-31/functions/${aws_lambda_alias.live.arn}/invocations"
}

resource "aws_iam_role" "function" {
  name = local.name
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "stack"
  role = aws_iam_role.function.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.function.arn}:*" },
      { Effect = "Allow", Action = "execute-api:ManageConnections", Resource = "${aws_apigatewayv2_api.echo.execution_arn}/*" },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "function" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = 14
}

resource "aws_lambda_function" "echo" {
  function_name    = local.name
  description      = var.description
  runtime          = "provided.al2023"
  handler          = var.handler
  role             = aws_iam_role.function.arn
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  memory_size      = 256
  timeout          = 20
  publish          = true
  environment {
    variables = { COLOUR = "blue" }
  }
  depends_on = [aws_cloudwatch_log_group.function]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.echo.function_name
  function_version = aws_lambda_function.echo.version
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.echo.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.echo.execution_arn}/*"
}

resource "aws_apigatewayv2_api" "echo" {
  name                       = local.name
  description                = var.description
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "echo" {
  api_id             = aws_apigatewayv2_api.echo.id
  integration_type   = "AWS_PROXY"
  integration_method = "POST"
  integration_uri    = local.uri
}

# Nobody asks it: its own life is what is looked at.
resource "aws_apigatewayv2_authorizer" "spare" {
  api_id           = aws_apigatewayv2_api.echo.id
  name             = "spare"
  authorizer_type  = "REQUEST"
  authorizer_uri   = local.uri
  identity_sources = ["route.request.querystring.who"]
}

resource "aws_apigatewayv2_route" "echo" {
  for_each                            = toset(["$connect", "$default", "$disconnect"])
  api_id                              = aws_apigatewayv2_api.echo.id
  route_key                           = each.key
  target                              = "integrations/${aws_apigatewayv2_integration.echo.id}"
  route_response_selection_expression = each.key == "$default" ? "$default" : null
}

resource "aws_apigatewayv2_route_response" "echo" {
  api_id             = aws_apigatewayv2_api.echo.id
  route_id           = aws_apigatewayv2_route.echo["$default"].id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_deployment" "echo" {
  api_id      = aws_apigatewayv2_api.echo.id
  description = var.description
  triggers = {
    # Not the resources as a whole: maps that are null at first are empty when read again.
    what = sha1(jsonencode([local.uri, [for route in aws_apigatewayv2_route.echo : [route.id, route.target]]]))
  }
  depends_on = [aws_apigatewayv2_route_response.echo]
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "echo" {
  api_id          = aws_apigatewayv2_api.echo.id
  name            = "prod"
  description     = var.description
  deployment_id   = aws_apigatewayv2_deployment.echo.id
  stage_variables = { colour = "blue" }
  default_route_settings {
    throttling_burst_limit = 100
    throttling_rate_limit  = 50
  }
}

output "api" { value = aws_apigatewayv2_api.echo.id }
output "function" { value = aws_lambda_function.echo.arn }
