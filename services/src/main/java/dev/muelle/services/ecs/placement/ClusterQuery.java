package dev.muelle.services.ecs.placement;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;

/**
 * An expression that selects container instances.
 *
 * <p>A comparison holds only for a subject that is there: {@code attribute:stack != prod} leaves
 * out instances without that attribute, which {@code not(attribute:stack == prod)} lets in. {@code
 * task:group} stands for all groups of which a task is on the instance: {@code ==}, {@code in} and
 * {@code =~} hold if they hold for one of them, their opposites if there is a task and they hold
 * for all.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html">Cluster
 *     query language</a>
 */
public final class ClusterQuery {

  /** What an expression is asked about. */
  public interface Subject {

    /** An attribute's value, empty if it has none; null if there is no such attribute. */
    @Nullable String attribute(String name);

    /** The groups of the tasks on it. */
    Set<String> taskGroups();

    boolean agentConnected();

    /** For example {@code 1.14.5}. */
    String agentVersion();

    String ec2InstanceId();

    Instant registeredAt();

    int runningTasksCount();
  }

  private final String text;
  private final QueryNode root;

  private ClusterQuery(String text, QueryNode root) {
    this.text = text;
    this.root = root;
  }

  /**
   * Reads an expression.
   *
   * @throws InvalidParameterException if it is none
   */
  public static ClusterQuery parse(@Nullable String text) {
    if (text == null || text.isBlank()) {
      throw invalid("the expression is empty.");
    }
    return new ClusterQuery(text, new QueryParser(text).parse());
  }

  static InvalidParameterException invalid(String why) {
    return InvalidParameterException.builder().message("Invalid expression: " + why).build();
  }

  public boolean selects(Subject subject) {
    return root.holds(subject);
  }

  /** As it was written. */
  public String text() {
    return text;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ClusterQuery query && query.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
