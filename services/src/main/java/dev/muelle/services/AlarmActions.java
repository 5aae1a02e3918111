package dev.muelle.services;

import java.time.Instant;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * Who does what alarms ask for: notifications, scaling policies, instances. CloudWatch accepts an
 * action only if somebody {@link #takes} it, so that none is stored that nobody would perform.
 */
public interface AlarmActions {

  /** Takes nothing: for regions without receivers. */
  AlarmActions NONE =
      new AlarmActions() {
        @Override
        public boolean takes(String action) {
          return false;
        }

        @Override
        public void perform(String action, Transition transition) {
          throw new IllegalStateException("nobody takes " + action);
        }
      };

  /**
   * Whether this action will be performed.
   *
   * @param action an ARN, for example of a topic or a scaling policy
   */
  boolean takes(String action);

  /**
   * Performs an action; called again, after a server that died, if it is not known to be done.
   *
   * @throws RuntimeException whose message becomes part of the alarm's history
   */
  void perform(String action, Transition transition);

  /**
   * What an alarm has done.
   *
   * @param configuration the alarm in the form that EventBridge and SNS show, as JSON
   * @param reasonData JSON; empty if there is none
   */
  record Transition(
      String alarmName,
      String alarmArn,
      String configuration,
      StateValue from,
      StateValue to,
      String reason,
      String reasonData,
      Instant at) {}
}
