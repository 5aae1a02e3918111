package dev.muelle.services.sns;

/**
 * Where endpoints go to confirm, to end and to verify: at the region's own port.
 *
 * @param base for example {@code http://localhost:4566}
 */
record Links(String base) {

  String to(String path) {
    return base + path;
  }

  String subscribe(String topicArn, String token) {
    return base + "/?Action=ConfirmSubscription&TopicArn=" + topicArn + "&Token=" + token;
  }

  String unsubscribe(String subscriptionArn) {
    return base + "/?Action=Unsubscribe&SubscriptionArn=" + subscriptionArn;
  }
}
