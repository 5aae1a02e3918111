package dev.muelle.services.eventbridge;

import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.CreateEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.CreateEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.DeleteEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.DeleteEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.DescribeEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.DescribeEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.EventBus;
import software.amazon.awssdk.services.eventbridge.model.LimitExceededException;
import software.amazon.awssdk.services.eventbridge.model.ListEventBusesRequest;
import software.amazon.awssdk.services.eventbridge.model.ListEventBusesResponse;
import software.amazon.awssdk.services.eventbridge.model.ResourceAlreadyExistsException;

/** Buses: the default one, and those that somebody made. */
final class Buses {

  private static final String NAME = "[.\\-_A-Za-z0-9]{1,256}";
  private static final int MAX_BUSES = 100;
  private static final int MAX_DESCRIPTION = 512;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;

  Buses(Scope scope, Store store, InstantSource clock) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
  }

  String arn(String name) {
    return scope.arn("events", "event-bus/" + name);
  }

  /** The name of the bus that a request means, by name or ARN; the default one if it says none. */
  String name(Tx tx, @Nullable String given) {
    String name = nameOf(given);
    if (!name.equals(Bus.DEFAULT) && tx.get(Bus.TABLE, name).isEmpty()) {
      throw Refuse.missing("Event bus " + name);
    }
    return name;
  }

  private String nameOf(@Nullable String given) {
    if (given == null || given.isEmpty()) {
      return Bus.DEFAULT;
    }
    String prefix = arn("");
    return given.startsWith(prefix) ? given.substring(prefix.length()) : given;
  }

  CreateEventBusResponse create(CreateEventBusRequest request) {
    Refuse.ifSet(request, "EventSourceName", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig");
    String name = request.name() == null ? "" : request.name();
    if (!name.matches(NAME)) {
      throw Refuse.constraint("name", name, "satisfy regular expression pattern: " + NAME);
    }
    String description = request.description() == null ? "" : request.description();
    if (description.length() > MAX_DESCRIPTION) {
      throw Refuse.constraint(
          "description", description, "have length less than or equal to " + MAX_DESCRIPTION);
    }
    Map<String, String> tags = Tags.read(request.tags());
    Instant now = clock.instant();
    store.write(tx -> {
      if (name.equals(Bus.DEFAULT) || tx.get(Bus.TABLE, name).isPresent()) {
        throw ResourceAlreadyExistsException.builder()
            .message("Event bus " + name + " already exists.")
            .build();
      }
      if (tx.count(Bus.TABLE) >= MAX_BUSES) {
        throw LimitExceededException.builder()
            .message("The requested resource exceeds the maximum number allowed.")
            .build();
      }
      return tx.insert(Bus.TABLE, name, new Bus(name, description, tags, now, now));
    });
    return CreateEventBusResponse.builder()
        .eventBusArn(arn(name))
        .description(request.description())
        .build();
  }

  DeleteEventBusResponse delete(DeleteEventBusRequest request) {
    String name = nameOf(request.name());
    if (name.equals(Bus.DEFAULT)) {
      throw Refuse.invalid("Cannot delete event bus default.");
    }
    store.write(tx -> {
      if (!tx.range(Rule.TABLE, name + "/", name + "0", false, 1).isEmpty()) {
        throw Refuse.invalid("Event bus " + name + " cannot be deleted since it has rules.");
      }
      return tx.delete(Bus.TABLE, name);
    });
    return DeleteEventBusResponse.builder().build();
  }

  DescribeEventBusResponse describe(DescribeEventBusRequest request) {
    return store.read(tx -> {
      String name = name(tx, request.name());
      DescribeEventBusResponse.Builder told =
          DescribeEventBusResponse.builder().name(name).arn(arn(name));
      tx.get(Bus.TABLE, name)
          .map(Row::value)
          .ifPresent(bus ->
              told.description(bus.description().isEmpty() ? null : bus.description())
                  .creationTime(bus.created())
                  .lastModifiedTime(bus.changed()));
      return told.build();
    });
  }

  ListEventBusesResponse list(ListEventBusesRequest request) {
    String prefix = request.namePrefix() == null ? "" : request.namePrefix();
    List<EventBus> all = new ArrayList<>();
    all.add(EventBus.builder().name(Bus.DEFAULT).arn(arn(Bus.DEFAULT)).build());
    for (Row<Bus> row : store.read(tx -> tx.list(Bus.TABLE))) {
      Bus bus = row.value();
      all.add(
          EventBus.builder()
              .name(bus.name())
              .arn(arn(bus.name()))
              .description(bus.description().isEmpty() ? null : bus.description())
              .creationTime(bus.created())
              .lastModifiedTime(bus.changed())
              .build());
    }
    Page<EventBus> page =
        Page.of(
            all.stream().filter(bus -> bus.name().startsWith(prefix)).toList(),
            request.limit(),
            request.nextToken());
    return ListEventBusesResponse.builder().eventBuses(page.items()).nextToken(page.next()).build();
  }
}
