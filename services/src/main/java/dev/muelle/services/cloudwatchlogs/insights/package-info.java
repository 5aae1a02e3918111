/**
 * The query language of Logs Insights: a query is read into commands, and these become stages
 * through which events run. Pure: where events come from and results go to is somebody else's.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html">Logs
 *     Insights query syntax</a>
 */
@NullMarked
package dev.muelle.services.cloudwatchlogs.insights;

import org.jspecify.annotations.NullMarked;
