package dev.muelle.region;

import dev.muelle.services.Scope;
import dev.muelle.services.sns.Senders;
import dev.muelle.services.sns.Sns;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import dev.muelle.wire.http.HttpHandler;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionRequest;
import software.amazon.awssdk.services.sns.model.ConfirmSubscriptionResponse;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;
import software.amazon.awssdk.services.sns.model.UnsubscribeRequest;
import software.amazon.awssdk.services.sns.model.UnsubscribeResponse;

/**
 * The links in messages of SNS: whoever gets one may follow it, and signs nothing. It leads to the
 * region that its ARN names, and only there to one of two operations; or to a certificate.
 */
final class MessageLinks implements HttpHandler {

  private static final Pattern FOLLOWED =
      Pattern.compile("(^|&)Action=(ConfirmSubscription|Unsubscribe)(&|$)");
  private static final Pattern ARN =
      Pattern.compile("arn:aws:sns:([a-z0-9-]+):(\\d{12}):[A-Za-z0-9_:-]+");

  private final Senders senders;
  private final HttpHandler aws;

  MessageLinks(Regions regions, Senders senders, InstantSource clock, RandomGenerator random) {
    this.senders = senders;
    aws =
        new AwsHandler(
            new Mounts().mount(SnsClient.class, caller -> new Visited(regions)),
            Access.open(),
            clock,
            random);
  }

  boolean takes(HttpRequest request) {
    return request.method().equals("GET")
        && (senders.certificate(request.path()).isPresent()
            || request.path().equals("/")
                && FOLLOWED.matcher(request.query()).find()
                && !request.query().contains("X-Amz-Signature=")
                && request.header("authorization").isEmpty());
  }

  @Override
  public HttpResponse handle(HttpRequest request) throws IOException {
    Optional<String> certificate = senders.certificate(request.path());
    if (certificate.isPresent()) {
      return HttpResponse.of(200, "application/x-pem-file", certificate.get());
    }
    return aws.handle(
        new HttpRequest(
            request.method(),
            request.path(),
            request.query() + "&Version=2010-03-31",
            request.headers(),
            request.remoteAddress(),
            request.body()));
  }

  /** What a visitor may do. */
  private record Visited(Regions regions) implements SnsClient {

    private Sns of(@Nullable String parameter, @Nullable String arn) {
      Matcher named = ARN.matcher(arn == null ? "" : arn);
      if (!named.matches()) {
        throw InvalidParameterException.builder()
            .message("Invalid parameter: " + parameter)
            .build();
      }
      return regions
          .known(new Scope(named.group(2), named.group(1)))
          .orElseThrow(() ->
              InvalidParameterException.builder()
                  .message("Invalid parameter: " + parameter)
                  .build())
          .sns;
    }

    @Override
    public ConfirmSubscriptionResponse confirmSubscription(ConfirmSubscriptionRequest request) {
      return of("TopicArn", request.topicArn()).visited(request);
    }

    @Override
    public UnsubscribeResponse unsubscribe(UnsubscribeRequest request) {
      return of("SubscriptionArn", request.subscriptionArn()).visited(request);
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {} // there is nothing to close
  }
}
