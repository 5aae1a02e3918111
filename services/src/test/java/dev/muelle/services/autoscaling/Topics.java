package dev.muelle.services.autoscaling;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesRequest;
import software.amazon.awssdk.services.sns.model.GetTopicAttributesResponse;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;
import software.amazon.awssdk.services.sns.model.NotFoundException;
import software.amazon.awssdk.services.sns.model.PublishRequest;
import software.amazon.awssdk.services.sns.model.PublishResponse;

/** Topics that keep what is published. */
final class Topics implements SnsClient {

  static final String TOPIC = "arn:aws:sns:us-east-1:000000000000:scaling";

  private static final int LONGEST_SUBJECT = 100;
  private static final Pattern ACTIVITY = Pattern.compile("\"ActivityId\":\"([^\"]+)\"");

  final Set<String> known = new TreeSet<>(Set.of(TOPIC));
  final List<PublishRequest> published = new ArrayList<>();

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}

  private void check(String topic) {
    if (!known.contains(topic)) {
      throw NotFoundException.builder().message("Topic does not exist").build();
    }
  }

  @Override
  public synchronized GetTopicAttributesResponse getTopicAttributes(
      GetTopicAttributesRequest request) {
    check(request.topicArn());
    return GetTopicAttributesResponse.builder().build();
  }

  @Override
  public synchronized PublishResponse publish(PublishRequest request) {
    check(request.topicArn());
    if (request.subject().length() > LONGEST_SUBJECT) {
      throw InvalidParameterException.builder().message("Invalid parameter: Subject").build();
    }
    published.add(request);
    return PublishResponse.builder().build();
  }

  synchronized List<String> subjects() {
    return published.stream().map(PublishRequest::subject).toList();
  }

  synchronized List<String> messages() {
    return published.stream().map(PublishRequest::message).toList();
  }

  /** Those that somebody was told of. */
  Set<String> activities() {
    Set<String> told = new TreeSet<>();
    Matcher id = ACTIVITY.matcher(String.join("\n", messages()));
    while (id.find()) {
      told.add(id.group(1));
    }
    return told;
  }
}
