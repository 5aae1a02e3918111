package dev.muelle.services.ecs.instance;

import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.store.Store;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.MissingVersionException;
import software.amazon.awssdk.services.ecs.model.NoUpdateAvailableException;
import software.amazon.awssdk.services.ecs.model.UpdateContainerAgentRequest;
import software.amazon.awssdk.services.ecs.model.VersionInfo;

/**
 * Updates of container agents: those of this region are part of the server, and always its newest.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateContainerAgent.html">UpdateContainerAgent</a>
 */
public final class AgentUpdates {

  private final Store store;
  private final ClusterNames clusters;

  public AgentUpdates(Store store, ClusterNames clusters) {
    this.store = store;
    this.clusters = clusters;
  }

  /** Why the agent of an instance is not updated. */
  public EcsException refusal(UpdateContainerAgentRequest request) {
    return store.read(tx -> {
      Cluster cluster = clusters.active(tx, request.cluster());
      return refusal(InstanceRecord.active(tx, cluster, request.containerInstance()));
    });
  }

  private static EcsException refusal(InstanceRecord instance) {
    VersionInfo version = instance.instance().versionInfo();
    boolean ours = version != null && InstanceAgents.VERSION.equals(version.agentVersion());
    return ours
        ? NoUpdateAvailableException.builder()
            .message("There is no update available for your container agent.")
            .build()
        : MissingVersionException.builder()
            .message(
                "Amazon ECS can't determine the current version of the Amazon ECS container agent"
                    + " on the container instance and doesn't have enough information to proceed"
                    + " with an update.")
            .build();
  }
}
