-- AlterTable
ALTER TABLE "host" ADD COLUMN     "bridges" TEXT NOT NULL DEFAULT '[]';
