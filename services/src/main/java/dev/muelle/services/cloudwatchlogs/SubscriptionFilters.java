package dev.muelle.services.cloudwatchlogs;

import dev.muelle.store.Store;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteSubscriptionFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteSubscriptionFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeSubscriptionFiltersRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeSubscriptionFiltersResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.Distribution;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutSubscriptionFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutSubscriptionFilterResponse;

/**
 * Subscription filters. AWS sends each new one's destination a test message; none of the services
 * that can be a destination is in this region, so none can be made, and no group has any.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html">PutSubscriptionFilter</a>
 */
final class SubscriptionFilters {

  private static final int MOST_DESCRIBED = 50;
  private static final Pattern ARN = Pattern.compile("arn:[^:]+:([^:]+):[^:]*:[^:]*:.+");

  private final Store store;

  SubscriptionFilters(Store store) {
    this.store = store;
  }

  PutSubscriptionFilterResponse put(PutSubscriptionFilterRequest request) {
    String group = Names.group(request.logGroupName(), "logGroupName");
    Names.stream(request.filterName(), "filterName"); // of the same form
    if (request.filterPattern() == null) {
      throw Refuse.constraint(null, "filterPattern", "Member must not be null");
    }
    FilterPattern.parse(request.filterPattern());
    if (request.distribution() == Distribution.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          request.distributionAsString(),
          "distribution",
          "Member must satisfy enum value set: [Random, ByLogStream]");
    }
    if (request.destinationArn() == null) {
      throw Refuse.constraint(null, "destinationArn", "Member must not be null");
    }
    require(group);
    Matcher arn = ARN.matcher(request.destinationArn());
    String unreachable =
        switch (arn.matches() ? arn.group(1) : "") {
          case "lambda" ->
              "Could not execute the lambda function. Make sure you have given CloudWatch Logs"
                  + " permission to execute your function.";
          case "kinesis" ->
              "Could not deliver test message to specified Kinesis stream. Check if the given"
                  + " kinesis stream is in ACTIVE state.";
          case "firehose" ->
              "Could not deliver test message to specified Firehose stream. Check if the given"
                  + " Firehose stream is in ACTIVE state.";
          case "logs" -> throw Refuse.missing("destination");
          default ->
              throw Refuse.invalid(
                  "destinationArn for vendor "
                      + (arn.matches() ? arn.group(1) : request.destinationArn())
                      + " is not supported");
        };
    throw Refuse.invalid(
        unreachable + " (" + request.destinationArn() + ": this region has no such service.)");
  }

  DescribeSubscriptionFiltersResponse describe(DescribeSubscriptionFiltersRequest request) {
    String group = Names.group(request.logGroupName(), "logGroupName");
    if (request.filterNamePrefix() != null) {
      Names.stream(request.filterNamePrefix(), "filterNamePrefix");
    }
    Names.limit(request.limit(), MOST_DESCRIBED, MOST_DESCRIBED);
    if (request.nextToken() != null) {
      throw Refuse.badToken(); // none was ever given
    }
    require(group);
    return DescribeSubscriptionFiltersResponse.builder().subscriptionFilters(List.of()).build();
  }

  DeleteSubscriptionFilterResponse delete(DeleteSubscriptionFilterRequest request) {
    String group = Names.group(request.logGroupName(), "logGroupName");
    Names.stream(request.filterName(), "filterName");
    require(group);
    throw Refuse.missing("subscription filter");
  }

  private void require(String group) {
    store.read(tx -> Names.require(tx, group));
  }
}
