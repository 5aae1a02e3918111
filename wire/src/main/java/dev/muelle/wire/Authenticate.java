package dev.muelle.wire;

import dev.muelle.wire.AccessKeys.AccessKey;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.regex.Pattern;

/** Finds out who calls, by the signature or, when the door is open, by the caller's word. */
final class Authenticate implements Chain.Step {
  private static final Pattern ACCOUNT = Pattern.compile("\\d{12}");
  private static final String NO_ACCOUNT = "000000000000";
  private static final String DEFAULT_REGION = "us-east-1";

  private final Access access;
  private final InstantSource clock;

  Authenticate(Access access, InstantSource clock) {
    this.access = access;
    this.clock = clock;
  }

  @Override
  public HttpResponse take(Exchange exchange, Chain.Next next) throws IOException {
    exchange.caller(
        switch (access) {
          case Access.Open _ -> byWord(exchange);
          case Access.Verified verified -> bySignature(exchange, verified.keys());
        });
    return next.proceed(exchange);
  }

  private static Caller byWord(Exchange exchange) {
    Optional<Credential> credential = exchange.credential();
    String key = credential.map(Credential::accessKeyId).orElse("");
    String account = ACCOUNT.matcher(key).matches() ? key : NO_ACCOUNT;
    String region =
        credential.map(Credential::region).filter(r -> !r.isEmpty()).orElse(DEFAULT_REGION);
    return new Caller(
        account, region, "arn:aws:iam::" + account + ":root", account, key, exchange.requestId());
  }

  private Caller bySignature(Exchange exchange, AccessKeys keys) {
    return switch (SigV4.verify(exchange.request(), exchange.body(), keys, clock.instant())) {
      case SigV4.Authentic(AccessKey key, Credential credential) ->
          new Caller(
              key.account(),
              credential.region(),
              key.arn(),
              key.userId(),
              key.accessKeyId(),
              exchange.requestId());
      case SigV4.Refused(Fault fault, String why) -> throw new WireException(fault, why);
    };
  }
}
