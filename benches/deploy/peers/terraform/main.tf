# The chat stack for Terraform. Released as the provider's documentation has it: a
# deployment that is made again when what it froze changes.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" { type = string }
variable "region" { type = string }
variable "zips" { type = string }

provider "aws" {
  region                      = var.region
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  endpoints {
    apigatewayv2 = var.endpoint
    iam          = var.endpoint
    lambda       = var.endpoint
    logs         = var.endpoint
    sts          = var.endpoint
  }
  default_tags {
    tags = { service = "chat", stage = "alpha" }
  }
}

data "aws_caller_identity" "me" {}

locals {
  name = "chat-alpha"
  functions = {
    connect    = { description = "Accepts a connection", timeout = 10, reserved = -1 }
    disconnect = { description = "Notes that a connection has ended", timeout = 10, reserved = -1 }
    default    = { description = "Echoes what matches no route", timeout = 10, reserved = -1 }
    room       = { description = "Serves join and send; rooms live in its memory", timeout = 20, reserved = 1 }
  }
  routes = {
    "$connect"    = "connect"
    "$disconnect" = "disconnect"
    "$default"    = "default"
    join          = "room"
    send          = "room"
  }
  roles  = { functions = "lambda.amazonaws.com", gateway = "apigateway.amazonaws.com" }
  prefix = "${var.region}:${data.aws_caller_identity.me.account_id}"
}

resource "aws_iam_role" "role" {
  for_each = local.roles
  name     = "${local.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = each.value }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "functions" {
  name = "stack"
  role = aws_iam_role.role["functions"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for key, _ in local.functions : "arn:aws:logs:${local.prefix}:log-group:/aws/lambda/${local.name}-${key}:*"]
      },
      {
        Effect   = "Allow"
        Action   = "execute-api:ManageConnections"
        Resource = "arn:aws:execute-api:${local.prefix}:${aws_apigatewayv2_api.api.id}/alpha/POST/@connections/*"
      },
    ]
  })
}

resource "aws_iam_role_policy" "gateway" {
  name = "stack"
  role = aws_iam_role.role["gateway"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = [for key, _ in local.functions : "arn:aws:lambda:${local.prefix}:function:${local.name}-${key}:*"]
    }]
  })
}

resource "aws_cloudwatch_log_group" "logs" {
  for_each          = local.functions
  name              = "/aws/lambda/${local.name}-${each.key}"
  retention_in_days = 14
}

resource "aws_lambda_function" "function" {
  for_each                       = local.functions
  function_name                  = "${local.name}-${each.key}"
  description                    = each.value.description
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  role                           = aws_iam_role.role["functions"].arn
  filename                       = "${var.zips}/${each.key}.zip"
  source_code_hash               = filebase64sha256("${var.zips}/${each.key}.zip")
  memory_size                    = 128
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved
  publish                        = true
  depends_on                     = [aws_cloudwatch_log_group.logs]
}

resource "aws_apigatewayv2_api" "api" {
  name                       = local.name
  description                = "Chat rooms over WebSocket"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "integration" {
  for_each           = local.functions
  api_id             = aws_apigatewayv2_api.api.id
  integration_type   = "AWS_PROXY"
  integration_method = "POST"
  integration_uri    = "arn:aws:apigateway:${var.region}:lambda:path/2015-03-31/functions/${aws_lambda_function.function[each.key].qualified_arn}/invocations"
  credentials_arn    = aws_iam_role.role["gateway"].arn
}

resource "aws_apigatewayv2_route" "route" {
  for_each  = local.routes
  api_id    = aws_apigatewayv2_api.api.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.integration[each.value].id}"
}

resource "aws_apigatewayv2_deployment" "deployment" {
  api_id = aws_apigatewayv2_api.api.id
  triggers = {
    what = sha1(jsonencode([aws_apigatewayv2_integration.integration, aws_apigatewayv2_route.route]))
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "stage" {
  api_id        = aws_apigatewayv2_api.api.id
  name          = "alpha"
  deployment_id = aws_apigatewayv2_deployment.deployment.id
}
