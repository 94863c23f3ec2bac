//! Notifications of cloud platforms.

use super::*;

/// AWS SNS: RSA over the fields of the message, under a certificate that the message names. Needs the allowed
/// topics and a source of keys. The content type is `text/plain` although it is JSON.
pub static AWS_SNS: Scheme = code("aws_sns", "x-amz-sns-message-type", Code::AwsSns)
    .docs("https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html")
    .signature(Source::Json(Borrowed("/Signature")))
    .encoding(Encoding::Base64)
    .id(&[Json(Borrowed("/MessageId"))])
    .event(&[Json(Borrowed("/Type"))])
    .ordering_key(&[Json(Borrowed("/TopicArn"))])
    .json_types(&[Borrowed("text/plain")])
    .challenge(Challenge::SnsSubscription)
    .acknowledge(200, AcknowledgeBody::Empty);

/// Google Pub/Sub push: `Authorization: Bearer <JWT>`. Needs the audience, the service account and a source of
/// keys. The token does not cover the body.
pub static GOOGLE_PUBSUB: Scheme = code("google_pubsub", "Authorization", Code::GooglePubSub)
    .docs("https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions")
    .without_body()
    .id(&[Json(Borrowed("/message/messageId"))])
    .ordering_key(&[Json(Borrowed("/message/orderingKey"))])
    .body_limit_mib(15)
    .acknowledge(204, AcknowledgeBody::Empty);

/// Microsoft Graph change notifications: each item repeats the `clientState` of its subscription. Answer within
/// 3 s. With `validationTokens` (notifications with resource data) the JWTs are checked too, which needs an
/// audience and a source of keys. Encrypted content stays encrypted: decrypt it with your certificate's key.
pub static MICROSOFT_GRAPH: Scheme = code("microsoft_graph", "Authorization", Code::MicrosoftGraph)
    .docs("https://learn.microsoft.com/graph/change-notifications-delivery-webhooks")
    .signature(Source::Json(Borrowed("/value/0/clientState")))
    .encoding(Encoding::Text)
    .without_body()
    .bodies_repeat()
    .batch("/value")
    .event(&[Json(Borrowed("/changeType")), Json(Borrowed("/lifecycleEvent"))])
    .ordering_key(&[Json(Borrowed("/resource"))])
    .challenge(Challenge::GraphValidation)
    .acknowledge(202, AcknowledgeBody::Empty);

/// Azure Event Grid: the secret is a token that you set as delivery header `aeg-webhook-token`. The validation
/// of the URL is not signed, so it is answered only while the endpoint's registration is open.
pub static AZURE_EVENT_GRID: Scheme = token("azure_event_grid", "aeg-webhook-token")
    .docs("https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema")
    .batch("")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/eventType")), Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/subject"))])
    .challenge(Challenge::AzureEventGrid)
    .acknowledge(200, AcknowledgeBody::Empty);
