package dev.muelle.services.ecs.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;

/** The documented language, on one instance. */
class ClusterQueryTest {

  private record Instance(
      Map<String, String> attributes,
      Set<String> taskGroups,
      boolean agentConnected,
      String agentVersion,
      String ec2InstanceId,
      Instant registeredAt,
      int runningTasksCount)
      implements ClusterQuery.Subject {
    @Override
    public String attribute(String name) {
      return attributes.get(name);
    }
  }

  private static final Instance ONE =
      new Instance(
          Map.of(
              "ecs.instance-type", "g2.2xlarge",
              "ecs.availability-zone", "us-east-1a",
              "stack", "prod",
              "rank", "10",
              "path", "/a b/(c)",
              "flag", ""),
          Set.of("service:production", "family:batch"),
          true,
          "1.9.2",
          "i-abcd1234",
          Instant.parse("2018-02-12T23:59:59Z"),
          2);

  private static final Instance EMPTY =
      new Instance(Map.of(), Set.of(), false, "", "i-0", Instant.EPOCH, 0);

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        // the documentation's own examples
        "attribute:ecs.instance-type == t2.small; false",
        "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]; true",
        "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d; true",
        "task:group == service:production; true",
        "not(task:group == database); true",
        "runningTasksCount == 1; false",
        "agentVersion < 1.14.5; true",
        "registeredAt < 2018-02-13; true",
        "ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']; true",
        "attribute:stack != prod; false",
        "attribute:ecs.instance-type in [t2.small, t2.medium]; false",
        "attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a; false",
        // every operator, as a sign and as a word
        "attribute:stack == prod; true",
        "attribute:stack equals prod; true",
        "attribute:stack not_equals prod; false",
        "attribute:rank > 9; true",
        "attribute:rank greater_than 10; false",
        "attribute:rank >= 10; true",
        "attribute:rank greater_than_equal 11; false",
        "attribute:rank < 9; false",
        "attribute:rank less_than 10.5; true",
        "attribute:rank <= 10; true",
        "attribute:rank less_than_equal 9; false",
        "attribute:stack > alpha; true",
        "attribute:stack exists; true",
        "attribute:flag exists; true",
        "attribute:nothing exists; false",
        "attribute:nothing !exists; true",
        "attribute:stack not_exists; false",
        "attribute:stack !in [test, beta]; true",
        "attribute:stack not_in [test,prod]; false",
        "attribute:stack matches pr.d; true",
        "attribute:stack =~ pro; false",
        "attribute:stack !~ t.*; true",
        "attribute:stack not_matches p.*; false",
        "attribute:ecs.instance-type =~ [gt]2.*; true",
        // what is not there is neither equal nor different
        "attribute:nothing != prod; false",
        "attribute:nothing not_in [prod]; false",
        "attribute:nothing !~ prod; false",
        "not(attribute:nothing == prod); true",
        // every other subject
        "agentConnected == true; true",
        "agentConnected != true; false",
        "agentConnected in [false]; false",
        "agentConnected =~ t.*; true",
        "agentVersion == 1.9.2; true",
        "agentVersion > 1.10; false",
        "agentVersion >= 1.9; true",
        "agentVersion != 1.9.2.0; false",
        "ec2InstanceId == i-abcd1234; true",
        "ec2InstanceId =~ i-abcd.*; true",
        "ec2InstanceId !~ i-abcd.*; false",
        "ec2InstanceId !in [i-1]; true",
        "registeredAt == 2018-02-12T23:59:59+00:00; true",
        "registeredAt >= 2018-02-12T23:59:59Z; true",
        "registeredAt <= 2018-02-12T23:59:58; false",
        "registeredAt > 2018-02-13T00:59:58+01:00; true",
        "runningTasksCount >= 2; true",
        "runningTasksCount < 2; false",
        "runningTasksCount != 2; false",
        "task:group in [service:production]; true",
        "task:group != service:production; false",
        "task:group != other; true",
        "task:group =~ service:.*; true",
        "task:group not_in [family:batch]; false",
        "task:group exists; true",
        // and, or, not: not binds most, or least
        "attribute:stack == prod || attribute:rank == 1 && attribute:rank == 2; true",
        "(attribute:stack == prod or attribute:rank == 1) and attribute:rank == 2; false",
        "!attribute:stack == test; true",
        "not attribute:stack == prod or attribute:rank == 10; true",
        "not (attribute:stack == prod or attribute:rank == 10); false",
        "!(!(attribute:stack==prod)); true",
        "attribute:stack==prod&&attribute:rank==10; true",
        "  ( attribute:stack == prod )  ; true",
        // quoting
        "attribute:path == '/a b/(c)'; true",
        "attribute:path == \"/a b/(c)\"; true",
        "attribute:stack =~ '(prod|test)'; true",
        "attribute:path =~ '.*\\(c\\)'; true",
      })
  void anInstanceIsSelectedOrNot(String expression, boolean selected) {
    assertEquals(selected, ClusterQuery.parse(expression).selects(ONE), expression);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "task:group == a; false",
        "task:group != a; false",
        "task:group !exists; true",
        "not(task:group == a); true",
        "runningTasksCount == 0; true",
        "agentConnected == false; true"
      })
  void anInstanceWithNothingOnIt(String expression, boolean selected) {
    assertEquals(selected, ClusterQuery.parse(expression).selects(EMPTY), expression);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "``; the expression is empty",
        "attribute:stack; expected an operator",
        "attribute:stack ==; expected an argument",
        "attribute: == a; an attribute's name is missing",
        "== prod; expected a subject",
        "stack == prod; the subject 'stack' is not known",
        "task:family == a; the subject 'task:family' is not known",
        "attribute:stack = prod; expected an operator",
        "attribute:stack is prod; expected an operator",
        "attribute:stack == prod test; expected the end of the expression",
        "attribute:stack == prod and; expected a subject",
        "(attribute:stack == prod; expected ')'",
        "attribute:stack == prod); expected the end",
        "attribute:stack in prod; expected '['",
        "attribute:stack in [prod; expected ',' or ']'",
        "attribute:stack in []; expected an argument",
        "attribute:stack in [prod,]; expected an argument",
        "attribute:stack == 'prod; a quotation is not closed",
        "attribute:stack =~ *a; is not a regular expression",
        "agentVersion =~ 1.*; the operator '=~' is not valid for 'agentVersion'",
        "agentVersion in [1.2]; the operator 'in' is not valid",
        "agentConnected > true; the operator '>' is not valid",
        "ec2InstanceId exists; the operator 'exists' is not valid",
        "ec2InstanceId < i-1; the operator '<' is not valid",
        "registeredAt =~ 2018.*; the operator '=~' is not valid",
        "registeredAt < yesterday; 'yesterday' is not a date",
        "registeredAt < 2018-02-31; '2018-02-31' is not a date",
        "runningTasksCount == few; 'few' is not a number",
        "runningTasksCount in [1]; the operator 'in' is not valid",
        "task:group > a; the operator '>' is not valid",
      })
  void whatIsNoExpressionIsRefused(String expression, String why) {
    InvalidParameterException refused =
        assertThrows(InvalidParameterException.class, () -> ClusterQuery.parse(expression));
    assertTrue(refused.getMessage().startsWith("Invalid expression: "), refused.getMessage());
    assertTrue(refused.getMessage().contains(why), refused.getMessage());
  }

  @Test
  void lengthAndDepthAreLimited() {
    String deep = "(".repeat(60) + "attribute:a exists" + ")".repeat(60);
    assertThrows(InvalidParameterException.class, () -> ClusterQuery.parse(deep));
    String negated = "!".repeat(60) + "attribute:a exists";
    assertThrows(InvalidParameterException.class, () -> ClusterQuery.parse(negated));
    String lengthy = "attribute:a == " + "b".repeat(2_000);
    assertThrows(InvalidParameterException.class, () -> ClusterQuery.parse(lengthy));
    assertThrows(InvalidParameterException.class, () -> ClusterQuery.parse(null));
  }

  @Test
  @Timeout(20)
  void aPatternThatBacktracksWithoutEndIsGivenUp() {
    Instance long_ =
        new Instance(Map.of("a", "a".repeat(120)), Set.of(), true, "1", "i-1", Instant.EPOCH, 0);
    assertFalse(ClusterQuery.parse("attribute:a =~ '(a+)+b'").selects(long_));
  }
}
