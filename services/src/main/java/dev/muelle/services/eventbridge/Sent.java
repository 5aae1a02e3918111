package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.EventOutbox.Event;
import dev.muelle.services.Ids;
import dev.muelle.services.eventbridge.Matching.Matched;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequest;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequestEntry;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResponse;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResultEntry;
import software.amazon.awssdk.services.eventbridge.model.TestEventPatternRequest;
import software.amazon.awssdk.services.eventbridge.model.TestEventPatternResponse;

/** Events that callers send themselves. */
final class Sent {

  private static final int MAX_ENTRIES = 10;
  private static final int MAX_BYTES = 256 * 1024;
  private static final int TIME_BYTES = 14;
  private static final int LONGEST_TYPE = 128; // characters

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Buses buses;
  private final Matching matching;
  private final EventMetrics metrics;
  private final Consumer<String> wakeTarget;

  Sent(
      Store store,
      InstantSource clock,
      Ids ids,
      Buses buses,
      Matching matching,
      EventMetrics metrics,
      Consumer<String> wakeTarget) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.buses = buses;
    this.matching = matching;
    this.metrics = metrics;
    this.wakeTarget = wakeTarget;
  }

  /**
   * Takes up to ten events; each that is wrong is said to be, the others are taken.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html">PutEvents</a>
   */
  PutEventsResponse put(PutEventsRequest request) {
    List<PutEventsRequestEntry> entries = request.entries();
    if (entries.isEmpty() || entries.size() > MAX_ENTRIES) {
      throw Refuse.constraint(
          "entries",
          entries,
          entries.isEmpty()
              ? "have length greater than or equal to 1"
              : "have length less than or equal to " + MAX_ENTRIES);
    }
    Refuse.ifSet(request, "EndpointId");
    entries.forEach(entry -> Refuse.ifSet(entry, "TraceHeader"));
    if (entries.stream().mapToLong(Sent::bytes).sum() > MAX_BYTES) {
      throw Refuse.invalid("Total size of the entries in the request is over the limit.");
    }
    Instant now = clock.instant();
    List<Matched> matched = new ArrayList<>();
    List<PutEventsResultEntry> results =
        store.write(tx -> {
          matched.clear();
          List<PutEventsResultEntry> all = new ArrayList<>();
          for (PutEventsRequestEntry entry : entries) {
            all.add(put(tx, entry, now, matched));
          }
          return all;
        });
    matched.forEach(one -> Intake.tell(one, metrics, wakeTarget));
    return PutEventsResponse.builder()
        .entries(results)
        .failedEntryCount((int) results.stream().filter(one -> one.errorCode() != null).count())
        .build();
  }

  private static long bytes(PutEventsRequestEntry entry) {
    long bytes = entry.time() == null ? 0 : TIME_BYTES;
    bytes += bytes(entry.source()) + bytes(entry.detailType()) + bytes(entry.detail());
    return bytes + entry.resources().stream().mapToLong(Sent::bytes).sum();
  }

  private static long bytes(@Nullable String text) {
    return text == null ? 0 : text.getBytes(StandardCharsets.UTF_8).length;
  }

  private PutEventsResultEntry put(
      Tx tx, PutEventsRequestEntry entry, Instant now, List<Matched> matched) {
    for (String[] one :
        new String[][] {
          {"Source", entry.source()},
          {"DetailType", entry.detailType()},
          {"Detail", entry.detail()}
        }) {
      if (one[1] == null || one[1].isEmpty()) {
        return failed(
            "InvalidArgument",
            "Parameter "
                + one[0]
                + " is not valid. Reason: "
                + one[0]
                + " is a required argument.");
      }
    }
    if (entry.detailType().length() > LONGEST_TYPE) {
      return failed(
          "InvalidArgument",
          "Parameter DetailType is not valid. Reason: it may have "
              + LONGEST_TYPE
              + " characters.");
    }
    if (entry.source().startsWith("aws.")) {
      return failed("NotAuthorizedForSource", "Not authorized for the source.");
    }
    if (Json.read(entry.detail()).filter(JsonNode::isObject).isEmpty()) {
      return failed("MalformedDetail", "Detail is malformed.");
    }
    String bus;
    try {
      bus = buses.name(tx, entry.eventBusName());
    } catch (software.amazon.awssdk.services.eventbridge.model.ResourceNotFoundException e) {
      return failed("ResourceNotFoundException", Objects.toString(e.getMessage(), ""));
    }
    Event event =
        new Event(
            ids.uuid(),
            entry.source(),
            entry.detailType(),
            entry.resources(),
            entry.detail(),
            entry.time() == null ? now : entry.time());
    matched.add(matching.match(tx, bus, event, now));
    return PutEventsResultEntry.builder().eventId(event.id()).build();
  }

  private static PutEventsResultEntry failed(String code, String message) {
    return PutEventsResultEntry.builder().errorCode(code).errorMessage(message).build();
  }

  /** Whether a pattern matches an event, which has what every event has. */
  TestEventPatternResponse test(TestEventPatternRequest request) {
    String pattern = Pattern.check(request.eventPattern());
    JsonNode event =
        Json.read(request.event() == null ? "" : request.event())
            .filter(JsonNode::isObject)
            .orElseThrow(() -> Refuse.invalid("Parameter Event is not valid."));
    for (String member :
        List.of("id", "account", "source", "time", "region", "resources", "detail-type")) {
      if (!event.has(member)) {
        throw Refuse.invalid(
            "Parameter Event is not valid. Reason: Event must have the field " + member + ".");
      }
    }
    return TestEventPatternResponse.builder().result(Pattern.matches(pattern, event)).build();
  }
}
