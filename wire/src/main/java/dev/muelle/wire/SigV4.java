package dev.muelle.wire;

import dev.muelle.wire.AccessKeys.AccessKey;
import dev.muelle.wire.http.HttpRequest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Verifies <a
 * href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html">Signature
 * Version 4</a>, in the Authorization header or in the query string (presigned), over the request
 * as it came off the socket. Pure: the same request, keys and time give the same verdict.
 */
final class SigV4 {

  /** What came of it. */
  sealed interface Verdict {}

  /** The request is from the holder of this key. */
  record Authentic(AccessKey key, Credential credential) implements Verdict {}

  /** It is not, or cannot be told. */
  record Refused(Fault fault, String why) implements Verdict {}

  private static final String ALGORITHM = "AWS4-HMAC-SHA256";

  /** How far a caller's clock may be off. */
  private static final Duration SKEW = Duration.ofMinutes(5);

  /** How long a presigned request lives if it does not say. */
  private static final long DEFAULT_EXPIRES = 900;

  private static final long LONGEST_EXPIRES = Duration.ofDays(7).toSeconds();

  private static final DateTimeFormatter BASIC =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.US).withZone(ZoneOffset.UTC);

  private SigV4() {}

  static Verdict verify(HttpRequest request, byte[] body, AccessKeys keys, Instant now) {
    FormData query = FormData.parse(request.query());
    Optional<String> authorization = request.header("authorization");
    Claim claim;
    if (authorization.isPresent()) {
      String header = authorization.get().strip();
      if (!header.equals(ALGORITHM) && !header.startsWith(ALGORITHM + " ")) {
        return missing();
      }
      Map<String, String> parts = parts(header.substring(ALGORITHM.length()));
      String date = request.header("x-amz-date").or(() -> basicDate(request)).orElse("");
      List<String> lacks = new ArrayList<>();
      for (String part : List.of("Credential", "Signature", "SignedHeaders")) {
        if (parts.getOrDefault(part, "").isEmpty()) {
          lacks.add("Authorization header requires '" + part + "' parameter.");
        }
      }
      if (date.isEmpty()) {
        lacks.add(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
      }
      if (!lacks.isEmpty()) {
        return incomplete(
            String.join(" ", lacks)
                + " (Hashed with SHA-256 and encoded with Base64) Authorization="
                + Base64.getEncoder().encodeToString(Hashes.sha256(Hashes.bytes(header))));
      }
      claim =
          new Claim(
              parts.getOrDefault("Credential", ""),
              parts.getOrDefault("SignedHeaders", ""),
              parts.getOrDefault("Signature", ""),
              date,
              request.header("x-amz-security-token").orElse(""),
              Optional.empty());
    } else if (query.get("X-Amz-Algorithm").isPresent()) {
      if (!query.get("X-Amz-Algorithm").get().equals(ALGORITHM)) {
        return incomplete("Unsupported AWS 'algorithm': only " + ALGORITHM + " is supported.");
      }
      List<String> lacks = new ArrayList<>();
      for (String name :
          List.of("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")) {
        if (query.get(name).orElse("").isEmpty()) {
          lacks.add("AWS query-string parameters must include '" + name + "'.");
        }
      }
      if (!lacks.isEmpty()) {
        return incomplete(String.join(" ", lacks) + " Re-examine the query-string parameters.");
      }
      Optional<Duration> expires = expires(query.get("X-Amz-Expires"));
      if (expires.isEmpty()) {
        return incomplete(
            "'X-Amz-Expires' must be a whole number of seconds from 1 to " + LONGEST_EXPIRES + ".");
      }
      claim =
          new Claim(
              query.get("X-Amz-Credential").orElse(""),
              query.get("X-Amz-SignedHeaders").orElse(""),
              query.get("X-Amz-Signature").orElse(""),
              query.get("X-Amz-Date").orElse(""),
              query.get("X-Amz-Security-Token").orElse(""),
              expires);
    } else {
      return missing();
    }
    return claim.verify(request, query, body, keys, now);
  }

  /**
   * What a signed request says about its signature.
   *
   * @param expires how long a presigned request is valid; empty for one signed in the header
   */
  private record Claim(
      String credential,
      String signedHeaders,
      String signature,
      String date,
      String token,
      Optional<Duration> expires) {

    Verdict verify(HttpRequest request, FormData query, byte[] body, AccessKeys keys, Instant now) {
      Optional<Credential> parsed = Credential.parse(credential);
      if (parsed.isEmpty()) {
        return incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g."
                + " keyid/date/region/service/term");
      }
      Credential scope = parsed.get();
      List<String> headers = List.of(signedHeaders.split(";", -1));
      if (!headers.contains("host")) {
        return incomplete(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
      }
      if (request.header("x-amz-target").isPresent() && !headers.contains("x-amz-target")) {
        // it names the operation: whoever could change it could turn a look into a deletion
        return incomplete("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
      }
      Optional<AccessKey> found = keys.find(scope.accessKeyId());
      if (found.isEmpty() || !Hashes.same(found.get().sessionToken(), token)) {
        return new Refused(
            Fault.UNKNOWN_KEY, "The security token included in the request is invalid.");
      }
      Instant signed;
      try {
        signed = BASIC.parse(date, Instant::from);
      } catch (DateTimeException e) {
        return incomplete("Date must be in ISO-8601 'basic format'.");
      }
      if (!scope.end().equals("aws4_request")) {
        return wrong("Credential should be scoped with a valid terminator: 'aws4_request'.");
      }
      if (!date.startsWith(scope.date() + "T")) {
        return wrong(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from"
                + " HTTP: '"
                + scope.date()
                + "' != '"
                + date.substring(0, 8)
                + "', from '"
                + date
                + "'.");
      }
      Optional<Verdict> untimely = untimely(signed, now);
      if (untimely.isPresent()) {
        return untimely.get();
      }
      String canonical = CanonicalRequest.of(request, query, signedHeaders, body);
      String expected = signature(found.get().secretAccessKey(), scope, canonical);
      if (!Hashes.same(expected, signature)) {
        return wrong(
            "The request signature we calculated does not match the signature you provided. Check"
                + " your AWS Secret Access Key and signing method. Consult the service"
                + " documentation for details.");
      }
      return new Authentic(found.get(), scope);
    }

    private Optional<Verdict> untimely(Instant signed, Instant now) {
      Instant latest = now.plus(SKEW);
      if (signed.isAfter(latest)) {
        return Optional.of(
            new Refused(
                Fault.EXPIRED_SIGNATURE,
                "Signature not yet current: %s is still later than %s (%s + 5 min.)"
                    .formatted(date, BASIC.format(latest), BASIC.format(now))));
      }
      Duration life = expires.orElse(SKEW);
      Instant earliest = now.minus(life);
      if (signed.isBefore(earliest)) {
        String ago =
            life.toSeconds() % 60 == 0 ? life.toMinutes() + " min." : life.toSeconds() + " s.";
        return Optional.of(
            new Refused(
                Fault.EXPIRED_SIGNATURE,
                "Signature expired: %s is now earlier than %s (%s - %s)"
                    .formatted(date, BASIC.format(earliest), BASIC.format(now), ago)));
      }
      return Optional.empty();
    }

    private String signature(String secret, Credential scope, String canonical) {
      String toSign =
          String.join(
              "\n",
              ALGORITHM,
              date,
              scope.date() + "/" + scope.region() + "/" + scope.service() + "/" + scope.end(),
              Hashes.hex(Hashes.sha256(Hashes.bytes(canonical))));
      byte[] key = Hashes.bytes("AWS4" + secret);
      for (String part : List.of(scope.date(), scope.region(), scope.service(), scope.end())) {
        key = Hashes.hmac(key, part);
      }
      return Hashes.hex(Hashes.hmac(key, toSign));
    }
  }

  private static Verdict missing() {
    return new Refused(Fault.MISSING_SIGNATURE, "Request is missing Authentication Token");
  }

  private static Verdict incomplete(String why) {
    return new Refused(Fault.INCOMPLETE_SIGNATURE, why);
  }

  private static Verdict wrong(String why) {
    return new Refused(Fault.WRONG_SIGNATURE, why);
  }

  private static Map<String, String> parts(String header) {
    return Arrays.stream(header.split(","))
        .map(String::strip)
        .filter(part -> part.indexOf('=') > 0)
        .collect(
            Collectors.toMap(
                part -> part.substring(0, part.indexOf('=')),
                part -> part.substring(part.indexOf('=') + 1),
                (first, second) -> second));
  }

  /** The Date header, which some clients sign instead of X-Amz-Date. */
  private static Optional<String> basicDate(HttpRequest request) {
    return request
        .header("date")
        .flatMap(date -> {
          try {
            return Optional.of(
                BASIC.format(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date, Instant::from)));
          } catch (DateTimeException e) {
            return Optional.of(date);
          }
        });
  }

  private static Optional<Duration> expires(Optional<String> seconds) {
    try {
      long value = seconds.map(Long::parseLong).orElse(DEFAULT_EXPIRES);
      return value >= 1 && value <= LONGEST_EXPIRES
          ? Optional.of(Duration.ofSeconds(value))
          : Optional.empty();
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
