//! Resource types of the AWS provider.

pub(super) const API: &str = "aws_apigatewayv2_api";
pub(super) const INTEGRATION: &str = "aws_apigatewayv2_integration";
pub(super) const INTEGRATION_RESPONSE: &str = "aws_apigatewayv2_integration_response";
pub(super) const AUTHORIZER: &str = "aws_apigatewayv2_authorizer";
pub(super) const ROUTE: &str = "aws_apigatewayv2_route";
pub(super) const ROUTE_RESPONSE: &str = "aws_apigatewayv2_route_response";
pub(super) const DEPLOYMENT: &str = "aws_apigatewayv2_deployment";
pub(super) const STAGE: &str = "aws_apigatewayv2_stage";
pub(super) const FUNCTION: &str = "aws_lambda_function";
pub(super) const ROLE: &str = "aws_iam_role";
pub(super) const ROLE_POLICY: &str = "aws_iam_role_policy";
pub(super) const ATTACHMENT: &str = "aws_iam_role_policy_attachment";
pub(super) const LOG_GROUP: &str = "aws_cloudwatch_log_group";
pub(super) const TABLE: &str = "aws_dynamodb_table";
