/**
 * ECS Exec's data channel: the conversation over a web socket between AWS's session-manager-plugin
 * and, on AWS, the SSM agent in the container; here, a terminal of the engine's. It follows the
 * plugin's and the agent's public sources, <a
 * href="https://github.com/aws/session-manager-plugin">session-manager-plugin</a> and <a
 * href="https://github.com/aws/amazon-ssm-agent">amazon-ssm-agent</a>.
 */
@NullMarked
package dev.muelle.services.ecs.exec;

import org.jspecify.annotations.NullMarked;
