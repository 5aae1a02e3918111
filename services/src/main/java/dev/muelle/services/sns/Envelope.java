package dev.muelle.services.sns;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.sns.Message.Kind;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * The JSON in which endpoints get what is published, signed.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html">HTTP/HTTPS
 *     headers and JSON formats</a>
 */
final class Envelope {

  static final String CONTENT_TYPE = "text/plain; charset=UTF-8";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  /** What is signed of a notification, and of the two that ask for a visit: in this order. */
  private static final List<String> NOTIFICATION =
      List.of("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type");

  private static final List<String> CONFIRMATION =
      List.of("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type");

  private final Signer signer;
  private final Links links;

  Envelope(Signer signer, Links links) {
    this.signer = signer;
    this.links = links;
  }

  String of(Message message, Subscription to, String signatureVersion) {
    ObjectNode envelope =
        Json.object().put("Type", message.kind().named()).put("MessageId", message.id());
    boolean notification = message.kind() == Kind.NOTIFICATION;
    if (!notification) {
      envelope.put("Token", message.token());
    }
    envelope.put("TopicArn", message.topicArn());
    if (message.subject() != null) {
      envelope.put("Subject", message.subject());
    }
    envelope.put("Message", text(message, to));
    if (!notification) {
      envelope.put("SubscribeURL", links.subscribe(message.topicArn(), message.token()));
    }
    envelope.put("Timestamp", TIME.format(message.at())).put("SignatureVersion", signatureVersion);
    Signer.Signed signed = signer.sign(signed(envelope, notification), signatureVersion);
    envelope
        .put("Signature", signed.signature())
        .put("SigningCertURL", links.to(signed.certificatePath()));
    if (notification) {
      envelope.put("UnsubscribeURL", links.unsubscribe(to.arn()));
    }
    if (!message.attributes().isEmpty()) {
      ObjectNode attributes = envelope.putObject("MessageAttributes");
      message
          .attributes()
          .forEach((name, attribute) ->
              attributes
                  .putObject(name)
                  .put("Type", attribute.type())
                  .put("Value", attribute.value()));
    }
    return Json.lines(envelope);
  }

  private static String signed(ObjectNode envelope, boolean notification) {
    StringBuilder text = new StringBuilder();
    for (String member : notification ? NOTIFICATION : CONFIRMATION) {
      if (envelope.has(member)) {
        text.append(member).append('\n').append(envelope.get(member).textValue()).append('\n');
      }
    }
    return text.toString();
  }

  /** What it says to a person. */
  static String text(Message message, Subscription to) {
    return switch (message.kind()) {
      case NOTIFICATION -> message.body(to.protocol());
      case SUBSCRIPTION ->
          "You have chosen to subscribe to the topic "
              + message.topicArn()
              + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.";
      case END ->
          "You have chosen to deactivate subscription "
              + to.arn()
              + ".\nTo cancel this operation and restore the subscription, visit the SubscribeURL"
              + " included in this message.";
    };
  }
}
