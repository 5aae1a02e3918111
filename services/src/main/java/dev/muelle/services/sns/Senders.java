package dev.muelle.services.sns;

import dev.muelle.services.Issuer;
import dev.muelle.services.sns.Message.Kind;
import dev.muelle.services.sns.Subscription.Protocol;
import dev.muelle.store.Store;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the regions of one server send with: the key, the HTTP client, the mail server. */
public final class Senders implements AutoCloseable {

  private static final String NO_SUBJECT = "AWS Notification Message";
  private static final String SENDER = "AWS Notifications";

  private final Links links;
  private final Signer signer;
  private final Envelope envelope;
  private final HttpSender http;
  private final @Nullable MailSender mail;

  /**
   * The server that takes mail.
   *
   * @param from the sender's address
   */
  public record MailServer(String host, int port, String from) {}

  /**
   * Senders that do nothing before they are asked to.
   *
   * @param store of the whole server
   * @param host and port at which this server is reached
   * @param forbidden why an address may not be sent to
   * @param mail null if there is none
   */
  public Senders(
      Store store,
      Issuer issuer,
      SecureRandom random,
      InstantSource clock,
      String host,
      Function<InetSocketAddress, Optional<String>> forbidden,
      @Nullable MailServer mail) {
    links = new Links("http://" + host);
    signer = new Signer(store, issuer, random, clock);
    envelope = new Envelope(signer, links);
    http = new HttpSender(forbidden, issuer.certificate());
    this.mail = mail == null ? null : new MailSender(mail);
  }

  /** A certificate that signed messages, in PEM form, if the path is one's. */
  public Optional<String> certificate(String path) {
    return signer.certificate(path);
  }

  boolean hasMail() {
    return mail != null;
  }

  Optional<String> refusal(URI uri) {
    return http.refusal(uri);
  }

  Outcome send(Message message, Topic topic, Subscription to, DeliveryPolicy policy) {
    return switch (to.protocol()) {
      case HTTP, HTTPS -> post(message, topic, to, policy);
      case EMAIL, EMAIL_JSON -> mail(message, topic, to);
    };
  }

  private Outcome post(Message message, Topic topic, Subscription to, DeliveryPolicy policy) {
    boolean raw = to.raw() && message.kind() == Kind.NOTIFICATION;
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("x-amz-sns-message-type", message.kind().named());
    headers.put("x-amz-sns-message-id", message.id());
    headers.put("x-amz-sns-topic-arn", message.topicArn());
    if (message.kind() != Kind.SUBSCRIPTION) {
      headers.put("x-amz-sns-subscription-arn", to.arn());
    }
    if (raw) {
      headers.put("x-amz-sns-rawdelivery", "true");
    }
    String type = policy.contentType();
    return http.post(
        to.endpoint(),
        type == null ? Envelope.CONTENT_TYPE : type,
        headers,
        raw ? message.body(to.protocol()) : envelope(message, topic, to));
  }

  private String envelope(Message message, Topic topic, Subscription to) {
    return envelope.of(message, to, topic.attribute(TopicRules.SIGNATURE_VERSION, "1"));
  }

  private Outcome mail(Message message, Topic topic, Subscription to) {
    if (mail == null) {
      return new Outcome(Outcome.Result.AGAIN, 0, "there is no mail server: ./muelle up --smtp");
    }
    return mail.send(
        to.endpoint(),
        topic.attribute(TopicRules.DISPLAY_NAME, SENDER),
        subject(message),
        to.protocol() == Protocol.EMAIL_JSON ? envelope(message, topic, to) : letter(message, to),
        message.at());
  }

  private static String subject(Message message) {
    return switch (message.kind()) {
      case NOTIFICATION -> message.subject() == null ? NO_SUBJECT : message.subject();
      case SUBSCRIPTION -> "AWS Notification - Subscription Confirmation";
      case END -> "AWS Notification - Unsubscribe Confirmation";
    };
  }

  private String letter(Message message, Subscription to) {
    String visit = links.subscribe(message.topicArn(), message.token());
    return switch (message.kind()) {
      case NOTIFICATION ->
          message.body(to.protocol())
              + "\n\n--\nIf you wish to stop receiving notifications from this topic, please click"
              + " or visit the link below to unsubscribe:\n"
              + links.unsubscribe(to.arn())
              + "\n";
      case SUBSCRIPTION ->
          "You have chosen to subscribe to the topic:\n"
              + message.topicArn()
              + "\n\nTo confirm this subscription, click or visit the link below (If this was in"
              + " error no action is necessary):\n"
              + visit
              + "\n";
      case END ->
          "Your subscription to the topic below has been deactivated:\n"
              + message.topicArn()
              + "\n\nIf this was in error, click or visit the link below to subscribe again:\n"
              + visit
              + "\n";
    };
  }

  @Override
  public void close() {
    http.close();
  }
}
