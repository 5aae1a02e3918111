package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;

final class SubscriptionFiltersTest {

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory);
    world.group(World.GROUP);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void put(String group, String pattern, String destination) {
    world.logs.putSubscriptionFilter(r ->
        r.logGroupName(group).filterName("f").filterPattern(pattern).destinationArn(destination));
  }

  private void invalid(String part, String pattern, String destination) {
    String message =
        assertThrows(InvalidParameterException.class, () -> put(World.GROUP, pattern, destination))
            .getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void noDestinationIsHere() {
    String of = ":us-east-1:000000000000:";
    invalid("Could not execute the lambda function.", "", "arn:aws:lambda" + of + "function:f");
    invalid("specified Kinesis stream", "ERROR", "arn:aws:kinesis" + of + "stream/s");
    invalid("specified Firehose stream", "", "arn:aws:firehose" + of + "deliverystream/s");
    invalid("vendor sqs is not supported", "", "arn:aws:sqs" + of + "q");
    invalid("nothing is not supported", "", "nothing");
    invalid("Invalid", "%unclosed", "arn:aws:lambda" + of + "function:f");
    assertThrows(
        ResourceNotFoundException.class,
        () -> put(World.GROUP, "", "arn:aws:logs" + of + "destination:d"));
    assertThrows(
        ResourceNotFoundException.class,
        () -> put("/none", "", "arn:aws:lambda" + of + "function:f"));
    assertEquals(
        List.of(),
        world
            .logs
            .describeSubscriptionFilters(r -> r.logGroupName(World.GROUP))
            .subscriptionFilters());
  }

  @Test
  void whatIsNotThereIsNotDeleted() {
    String message =
        assertThrows(
                ResourceNotFoundException.class,
                () ->
                    world.logs.deleteSubscriptionFilter(
                        r -> r.logGroupName(World.GROUP).filterName("f")))
            .getMessage();
    assertTrue(message.contains("subscription filter does not exist"), message);
    assertThrows(
        ResourceNotFoundException.class,
        () -> world.logs.describeSubscriptionFilters(r -> r.logGroupName("/none")));
    assertThrows(
        InvalidParameterException.class,
        () ->
            world.logs.describeSubscriptionFilters(
                r -> r.logGroupName(World.GROUP).nextToken("x")));
  }
}
